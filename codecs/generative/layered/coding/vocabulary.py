"""English as captions and prompts speak it: what the text layer's statistics have read before they start.

A change of a single letter changes what text layers decode to: it needs a new format version.
"""

from __future__ import annotations

VOCABULARY = """\
a photo of a man and a woman standing in front of a house. a close-up of the face of a young girl with
long blonde hair and blue eyes, looking at the camera. a painting of a mountain landscape with a lake,
trees and a cloudy sky at sunset, highly detailed, 4k, 8k, trending on artstation, sharp focus,
cinematic lighting. a red car parked on the side of a city street next to a building at night. a group
of people sitting around a table with plates of food, glasses of wine and a bottle of beer. a cat
sitting on a chair near a window. a dog running on the green grass in the park. a bird on the branch of
a tree. a flock of birds flying over the ocean. a horse in a field. a bedroom with a bed, a lamp and a
white wall. a kitchen with a stove, a sink and wooden cabinets. a living room with a couch, a television
and a large window. a wooden table with a bowl of fruit, apples, bananas and oranges, and a vase of
flowers. a slice of pizza on a plate. a cup of coffee and a piece of chocolate cake with strawberries. a
train at the station. an airplane in the clear blue sky. a small boat on the river under a bridge. two
bicycles against a brick wall. a bus driving down the road. a motorcycle. a woman wearing a black dress,
a hat and sunglasses, holding an umbrella in the rain. a man in a suit and a white shirt. a little boy
playing with a ball. a baby with a teddy bear. children are playing on the beach with sand and waves in
the background. a person riding a surfboard on top of a wave. skiers going down a snowy slope in winter.
snow on the roof. portrait of a beautiful girl, elegant, intricate, digital painting, concept art,
smooth, illustration, soft light, golden hour, dramatic, masterpiece, best quality, ultra realistic. an
oil painting in the style of van Gogh. a watercolor drawing of a castle. a black and white photograph of
an old church. a statue of a lion. a robot in a futuristic neon city. a fantasy forest with mushrooms,
magic, a dragon and a knight in armor. an astronaut on the moon, stars and planets, galaxy, space. an
anime girl with cat ears. a cute little fox. The picture shows several colorful hot air balloons above
hills. In the foreground there is a stone path that leads to the lighthouse; behind it the sea is calm.
There are many boats in the harbor. It has a light brown wooden door with a metal handle, two windows,
and yellow flowers. The image features a close view of the rocks, water and a waterfall surrounded by
green plants. This is a wide shot, taken from above, of an empty street in London, Paris, New York,
Tokyo. her hands, his head, their clothes, its body, left, right, middle, bottom, inside, outside.
a wide picture, bright, low contrast, mostly blue, green and light grey, blue at the top, green at the
bottom, few edges.
a tall picture, dark, high contrast, mostly black, brown and orange, black at the top, brown at the
bottom, many edges.
a square picture, very dark, medium contrast, mostly dark grey and red, white at the top, cyan at the
bottom, some edges.
a wide picture, very bright, medium brightness, mostly yellow, purple and pink, grey at the top, light
grey at the bottom, some edges.
"""
