"""What the numbers of a report mean, in a sentence or two each; docs/method.md has sources and formulas."""

METHOD = (
    (
        "Rate",
        "Bits per pixel: eight times the bytes of the bitstream, header included, over the pixels of the "
        "original. Every bitstream is decoded by itself, and the decoded pixels are what is scored.",
    ),
    (
        "BD-rate",
        "How many bits more (plus) or fewer (minus) than the anchor at equal score, over the range of scores "
        "that both mean curves reach: PCHIP through mean score over the logarithm of mean rate, of the "
        "pictures that all compared codecs finished. SSIM and MS-SSIM enter as -10 log10(1 - x).",
    ),
    (
        "Intervals and tests",
        "95 % intervals by resampling pictures, the same pictures for all codecs (paired bootstrap); marks "
        "and p-values are corrected for all comparisons of a column (Holm). They speak of other pictures of "
        "this kind, not of other raters.",
    ),
    (
        "At a rate, at a score",
        "Each picture's own curve is read at the rate or score, never beyond its ends; median, 5th and 95th "
        "percentile over pictures, of fewer than 20 pictures minimum and maximum.",
    ),
    (
        "Speed",
        "Wall time per megapixel from a pass of its own: one call at a time, pinned threads, a dropped "
        "warm-up, median of the repeats. Times of the quality pass, where calls share the machine, are never "
        "shown as speed.",
    ),
    (
        "Natural against AI-generated",
        "BD-rate on either kind of picture, each resampled on its own; pictures made by a codec's own "
        "generator are kept out of the test.",
    ),
    (
        "Studies",
        "People compare two versions of a picture. JOD: at a difference of 1, three of four prefer the "
        "better one. 'No preference' is an outcome of its own. Intervals by rater hold for other raters and "
        "these pictures, by rater x picture for other pictures as well. Plan and pictures are sealed by "
        "their hash before the first vote. What programs answered is called simulated.",
    ),
    (
        "Toy and imported",
        "Toy codecs have small weights that show that a method runs. Imported rows come from a file: there "
        "is no bitstream here to verify.",
    ),
)
