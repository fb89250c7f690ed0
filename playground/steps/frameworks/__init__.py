"""Other frameworks in the detections step: what torchvision, detectron2 or MMDetection make of the same weights.

Reading order: `compared` (the comparison, cached), `layers` (on the picture), `view` (the figure, the table and the
words).
"""
