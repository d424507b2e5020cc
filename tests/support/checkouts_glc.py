"""The stand-in for GLC's repository: a network without training that has its modules and passes."""

from __future__ import annotations

GLC_TOOLS = """
import numpy as np
import torch
from PIL import Image

def init_func():
    torch.set_num_threads(1)

def get_state_dict(ckpt_path):
    return torch.load(ckpt_path, weights_only=True)

def from_0_1_to_minus1_1(value):
    return (value - 0.5) * 2.0

def write_image(save_png_path, x_hat):
    levels = ((x_hat / 2 + 0.5) * 255).squeeze(0).numpy().transpose(1, 2, 0).round().clip(0, 255)
    Image.fromarray(levels.astype(np.uint8)).save(save_png_path)
"""

GLC = """
import torch
from torch import nn

N = 12  # four channels for each colour; latents are means of 16 x 16 samples

class Gain(nn.Module):
    def forward(self, x, quant_step):
        return x * quant_step

class Undo(nn.Module):
    def forward(self, x, quant_step):
        return x / quant_step

class Vqgan(nn.Module):
    def encoder(self, x):
        return nn.functional.avg_pool2d(x, 16).repeat(1, 4, 1, 1)
    def generator(self, y):
        return nn.functional.interpolate(y.view(1, 4, 3, *y.shape[2:]).mean(1), scale_factor=16)

class Quantizer(nn.Module):
    def get_indices(self, z):
        return (z.mean(1).flatten() * 1000).long().clamp(0, 2**14 - 1).unsqueeze(1)
    def get_quan_feat(self, indices, shape):
        return (indices.float() / 1000).view(*shape[:3], 1).expand(shape).permute(0, 3, 1, 2)

class Fusion(nn.Module):
    def forward(self, z):
        return torch.cat([torch.ones_like(z), z.abs() + 1.5, z], 1)

class Reduction(nn.Module):
    def forward(self, params):
        return params[:, N : 2 * N]

class Prior(nn.Module):
    def forward(self, params):
        assert params.dtype == torch.float64, "a prior in float32 chooses other Gaussians on other processors"
        so_far, common = params.chunk(2, 1)
        return torch.cat([common.abs() + 0.3, so_far * 0.1], 1)

class GLC_Image(nn.Module):
    def __init__(self, inplace=False):
        super().__init__()
        self.q_enc = nn.Parameter(torch.ones(4, N, 1, 1))
        self.q_dec = nn.Parameter(torch.ones(4, N, 1, 1))
        self.enc, self.dec, self.vqgan, self.z_vq = Gain(), Undo(), Vqgan(), Quantizer()
        self.hyper_enc = nn.AvgPool2d(4)
        self.hyper_dec = nn.Upsample(scale_factor=4)
        self.y_prior_fusion = Fusion()
        self.y_spatial_prior_adaptor_1 = nn.Identity()
        self.y_spatial_prior_adaptor_2 = nn.Identity()
        self.y_spatial_prior_adaptor_3 = nn.Identity()
        self.y_spatial_prior = Prior()
        self.y_spatial_prior_reduction = Reduction()

    def process_with_mask(self, y, scales, means, mask):
        residual = (y - means * mask) * mask
        rounded = residual.round()
        return residual, rounded, rounded + means * mask, scales * mask

    def forward_four_part_prior(
        self, y, common_params, one, two, three, prior, y_spatial_prior_reduction=None, write=False
    ):
        step, scales, means = common_params.chunk(3, 1)
        common = y_spatial_prior_reduction(common_params)
        y = y / step
        found, so_far = [], 0
        for place, adaptor in enumerate((None, one, two, three)):
            if adaptor is not None:
                scales, means = prior(adaptor(torch.cat([so_far, common], 1))).chunk(2, 1)
            mask = torch.zeros_like(y)
            mask[:, :, place // 2 :: 2, place % 2 :: 2] = 1
            found.append(self.process_with_mask(y, scales, means, mask))
            so_far = so_far + found[-1][2]
        return sum(f[0] for f in found), sum(f[1] for f in found), so_far * step, sum(f[3] for f in found)
"""
