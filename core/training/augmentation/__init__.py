"""Random changes of training samples; the boxes follow the image.

Reading order: `augment` (changes of one picture: flip, scale, crop, colour, noise) with `crop` and `zoom`, `windows`
(parts of pictures, and which objects they keep), `mosaic` (four pictures in one), `copy_paste` (objects of another
picture), `combine` (whether and with which pictures).
"""
