"""The classification loss of single scores: focal loss and its alternatives (paper, section 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.config import Loss

EQUAL = 1e-30  # a score this close to its target equals it: a power below 1 would have an infinite slope


def focal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Returns FL(p_t) = −α_t (1−p_t)^γ log p_t for each logit (paper, equation 5).

    Let x_t be the logit with its sign flipped for background; then −log p_t = softplus(−x_t) and −log(1−p_t) =
    softplus(x_t). In this form value and gradient are finite for every logit and every γ ≥ 0, whereas a power of 1−p_t
    with an exponent below 1 has an infinite slope at p_t = 1.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; that of background is 1 − α.
        gamma: Focusing parameter.
    """
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    signed = logits * (2 * targets - 1)  # x_t
    return weight * torch.exp(-gamma * F.softplus(signed)) * F.softplus(-signed)


def poly1_focal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float, epsilon: float) -> Tensor:
    """Returns α_t [−(1−p_t)^γ log p_t + ε (1−p_t)^(γ+1)] of each logit (Leng et al. 2022, PolyLoss, Poly-1 focal loss).

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; that of background is 1 − α.
        gamma: Focusing parameter.
        epsilon: What is added to the coefficient of (1−p_t)^(γ+1) in the series of focal loss, which is 1.
    """
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    signed = logits * (2 * targets - 1)  # x_t
    added = epsilon * torch.exp(-(gamma + 1) * F.softplus(signed))
    return focal_loss(logits, targets, alpha=alpha, gamma=gamma) + weight * added


def quality_focal_loss(logits: Tensor, targets: Tensor, *, beta: float) -> Tensor:
    """Returns QFL(σ) = −|y−σ|^β [y log σ + (1−y) log(1−σ)] of each logit (Li et al. 2020, Generalized Focal Loss).

    Where σ equals y its slope is 0, as it is around it for β > 1.

    Args:
        logits: Any shape.
        targets: Same shape, y: the IoU of a foreground score's box with its object, and 0 for background.
        beta: Focusing parameter.
    """
    apart = (targets * torch.sigmoid(-logits) - (1 - targets) * torch.sigmoid(logits)).abs()  # exact for y = 0 and 1
    equal = apart < EQUAL
    weight = apart.masked_fill(equal, 1.0).pow(beta).masked_fill(equal, 0.0 if beta else 1.0)
    return weight * _soft_cross_entropy(logits, targets)


def varifocal_loss(logits: Tensor, targets: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Returns VFL(p, q) of each logit (Zhang et al. 2021, VarifocalNet).

    It is −q [q log p + (1−q) log(1−p)] for q > 0 and −α p^γ log(1−p) for q = 0, also of a foreground score whose box
    does not touch its object.

    Args:
        logits: Any shape.
        targets: Same shape, q: the IoU of a foreground score's box with its object, and 0 for background.
        alpha: Weight of q = 0.
        gamma: Focusing parameter of q = 0.
    """
    background = alpha * torch.exp(-gamma * F.softplus(-logits)) * F.softplus(logits)
    return torch.where(targets > 0, targets * _soft_cross_entropy(logits, targets), background)


def _soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns −y log σ − (1−y) log(1−σ) of each logit for targets y from 0 to 1."""
    return targets * F.softplus(-logits) + (1 - targets) * F.softplus(logits)


def cutoff_loss(logits: Tensor, targets: Tensor, *, alpha: float, cutoff: float) -> Tensor:
    """Returns −α_t log p_t where p_t ≤ cutoff and 0 above it (paper, section 5.1, "Hinge Loss").

    Where it is not 0 its gradient is that of cross-entropy, and thus that of the hinge α_t · max(0, log(cutoff / p_t)):
    training is the same, and the values are comparable with those of the other losses.

    Args:
        logits: Any shape.
        targets: Same shape, 1 for foreground and 0 for background.
        alpha: Weight of foreground; that of background is 1 − α.
        cutoff: Largest p_t with a loss; 1 is α-balanced cross-entropy.
    """
    p_t = torch.sigmoid(logits * (2 * targets - 1))
    return focal_loss(logits, targets, alpha=alpha, gamma=0.0) * (p_t <= cutoff)


def classification_loss(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Returns the chosen loss of each logit; for OHEM and GHM-C it is cross-entropy, which they select from or weight.

    Args:
        logits: Any shape.
        targets: Same shape: 0 for background, and for foreground 1, or with `IOU_TARGETS` an IoU.
        loss: Hyperparameters of the loss.
    """
    if loss.kind == "focal":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=loss.gamma)
    if loss.kind == "poly1_focal":
        return poly1_focal_loss(logits, targets, alpha=loss.alpha, gamma=loss.gamma, epsilon=loss.poly1_epsilon)
    if loss.kind == "quality_focal":
        return quality_focal_loss(logits, targets, beta=loss.quality_beta)
    if loss.kind == "varifocal":
        return varifocal_loss(logits, targets, alpha=loss.varifocal_alpha, gamma=loss.gamma)
    if loss.kind == "balanced_cross_entropy":
        return focal_loss(logits, targets, alpha=loss.alpha, gamma=0.0)
    if loss.kind == "cutoff":
        return cutoff_loss(logits, targets, alpha=loss.alpha, cutoff=loss.cutoff)
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
