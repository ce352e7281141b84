"""The exact logistic regression: Newton's method on the device, with standard errors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from hepclf.events import Events
from hepclf.models.module import Module
from hepclf.models.network import CPU, Network, NetworkTagger
from hepclf.models.rows import table
from hepclf.training.device import resolve
from hepclf.training.epoch import Epoch
from hepclf.training.loss import losses
from hepclf.training.seeds import seeded
from hepclf.training.table import Rows, TensorTable
from hepclf.training.trainer import Trainer

STEPS = 50
SEPARATED = 1e-9  # curvature left, of that at the start: what is flatter has no minimum to find
CONVERGED = 1e-12  # Newton decrement relative to the loss: far below the 1e-5 to which peers agree


def check_newton(classes: tuple[str, ...] | None, trainer: Trainer) -> None:
    """Refuse settings without a likelihood of two classes; None if the classes are not known yet."""
    if classes is not None and len(classes) != 2:
        raise ValueError(f"solver=newton needs two classes, the data has {len(classes)}; use solver=gradient")
    if trainer.loss != "cross_entropy":
        raise ValueError(
            f"trainer.loss must be cross_entropy with solver=newton, not {trainer.loss}; use that or solver=gradient"
        )
    if trainer.decorrelate is not None:
        raise ValueError("solver=newton solves for the likelihood alone; use solver=gradient with decorrelate")


class NewtonFit:
    """Iteratively reweighted least squares in float64; each Epoch is one Newton step.

    Minimises sum(w l) / n + l2 |coefficients|^2 with n events; the intercept is not in the penalty. A step is halved
    until the loss falls.
    """

    def __init__(self, recipe: Network, train: Events, valid: Events, trainer: Trainer) -> None:
        check_newton(train.classes, trainer)
        device = resolve(trainer.device)
        self._recipe, self._classes, self._sentinels = recipe, train.classes, train.sentinels
        train, valid = trainer.weighing(train), trainer.weighing(valid)
        weights = trainer.weights(train)
        self._prepare = recipe.preprocess.fit(train.features, train.names, weights).to(device)
        self._train = _design(table(train, weights, self._prepare, trainer, device))
        self._valid = _design(table(valid, trainer.weights(valid), self._prepare, trainer, device))
        size = self._train.inputs.shape[1]
        self._penalty = torch.full((size,), recipe.l2, dtype=torch.float64, device=device)
        self._penalty[0] = 0
        self._theta = torch.zeros(size, dtype=torch.float64, device=device)
        self._steps, self._converged = 0, False
        self._refuse_dependent_inputs()

    @property
    def epochs(self) -> int:
        """The maximum number of steps."""
        return STEPS

    @property
    def patience(self) -> int | None:
        """None: the steps end by themselves at the solution."""
        return None

    def __iter__(self) -> Iterator[Epoch]:
        loss, hessian = self._objective(self._theta), None
        while self._steps < STEPS and not self._converged:
            started = time.perf_counter()
            gradient, hessian = self._derivatives()
            step = self._newton_step(hessian, gradient)
            decrement = float(gradient @ step)
            theta, new_loss = self._halved(step, loss)
            self._theta, loss = theta, new_loss
            self._steps += 1
            flatness = self._flatness(hessian)
            self._converged = flatness >= SEPARATED and decrement <= CONVERGED * max(loss, 1e-3)
            yield Epoch(
                self._steps,
                self._mean_loss(self._train),
                self._mean_loss(self._valid),
                1.0,
                time.perf_counter() - started,
            )
            if flatness < SEPARATED:
                break
        if self._converged:
            return
        if hessian is None:  # restored after the last step
            _, hessian = self._derivatives()
        self._refuse_wrong_curvature(torch.linalg.eigvalsh(self._scaled(hessian)))
        raise ValueError(
            f"the likelihood has no maximum that {self._steps} steps could reach: a plane separates some events of the "
            "classes, so coefficients grow without bound; set model.l2=1e-4 or use model.solver=gradient"
        )

    def state(self) -> dict[str, Any]:
        """A copy of the coefficients, and the steps that led to them."""
        return {"theta": self._theta.clone(), "steps": self._steps, "converged": self._converged}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from the stored state of a fit with the same recipe, events and trainer."""
        self._theta = state["theta"].to(self._theta.device, copy=True)
        self._steps, self._converged = int(state["steps"]), bool(state["converged"])

    def tagger(self) -> NetworkTagger:
        """The tagger of the solution; its summary holds the coefficients and their errors."""
        if not self._converged:
            raise ValueError(f"no solution was found in {self._steps} steps yet; iterate over the fit to its end")
        with seeded(CPU, 0):  # the initial weights are replaced
            module = Module(self._recipe, self._prepare, 2)
        weight, bias = module.body.parameters()
        with torch.no_grad():
            weight.copy_(self._theta[None, 1:])
            bias.copy_(self._theta[:1])
        summary = {"steps": self._steps, "train_loss": self._mean_loss(self._train), **self._coefficients()}
        module = module.to(self._theta.device)
        return NetworkTagger(module, self._recipe, self._classes, summary, self._sentinels)

    def _newton_step(self, hessian: Tensor, gradient: Tensor) -> Tensor:
        """H^-1 g; directions that are flat up to rounding do not move."""
        scale = self._sizes()
        # Eigenvectors in units of the inputs; a flat direction gets an infinite eigenvalue, and so no step.
        values, vectors = torch.linalg.eigh(hessian / scale / scale[:, None])
        flat = values <= len(values) * torch.finfo(values.dtype).eps * values.abs().max()
        along = (vectors.T @ (gradient / scale)) / values.masked_fill(flat, torch.inf)
        step: Tensor = (vectors @ along) / scale
        return step

    def _halved(self, step: Tensor, loss: float) -> tuple[Tensor, float]:
        scale = 1.0
        # Far from the minimum a full Newton step may overshoot.
        while scale > 1e-6:
            theta = self._theta - scale * step
            new_loss = self._objective(theta)
            if new_loss <= loss + 1e-14:
                return theta, new_loss
            scale /= 2
        return self._theta, loss

    def _derivatives(self) -> tuple[Tensor, Tensor]:
        x, y, w = self._train[:3]
        p = torch.sigmoid(x @ self._theta)
        n = len(y)
        gradient = x.T @ (w * (p - y)) / n + 2 * self._penalty * self._theta
        hessian = (x.T * (w * p * (1 - p))) @ x / n + torch.diag(2 * self._penalty)
        return gradient, hessian

    def _objective(self, theta: Tensor) -> float:
        x, y, w = self._train[:3]
        return float((losses(x @ theta, y, "cross_entropy") * w).mean() + (self._penalty * theta**2).sum())

    def _mean_loss(self, part: TensorTable) -> float:
        event_losses = losses(part.inputs @ self._theta, part.targets, "cross_entropy")
        return float((event_losses * part.weights).sum() / part.weights.sum())

    def _coefficients(self) -> dict[str, Any]:
        """Coefficients in the units of the features if scaling is linear, otherwise of the scaled inputs."""
        x, y, w, names = self._train[:4]
        covariance, kind = self._covariance(x, y, w)
        theta, units = self._theta, "scaled inputs"
        if self._prepare.linear:
            # The inputs are (x - centre) / width, so the linear map `back` turns coefficients into those of x.
            units = "features"
            back = torch.eye(len(theta), dtype=torch.float64, device=theta.device)
            size = len(self._prepare.names)
            centre, width = self._prepare.centre.double(), self._prepare.width.double()
            back[0, 1 : size + 1] = -centre / width
            back.diagonal()[1 : size + 1].copy_(1 / width)
            theta, covariance = back @ theta, back @ covariance @ back.T
        errors: list[float | None] = [None] * len(theta)
        if kind:
            errors = covariance.diagonal().clamp_min(0).sqrt().tolist()
        rows = [
            {"name": name, "value": value, "error": error}
            for name, value, error in zip(names, theta.tolist(), errors, strict=True)
        ]
        return {"coefficients": rows, "coefficient_errors": kind, "coefficient_units": units}

    def _covariance(self, x: Tensor, y: Tensor, w: Tensor) -> tuple[Tensor, str | None]:
        """Inverse Hessian for unit weights; with other weights the sandwich H^-1 (sum w^2 g g^T) H^-1 (White 1980).

        A penalty biases the coefficients, so their errors are then left out.
        """
        inverse = torch.linalg.inv(self._derivatives()[1]) / len(y)
        if bool(self._penalty.any()):
            return inverse, None
        if bool((w == 1).all()):
            return inverse, "inverse Hessian"
        slope = x * (w * (torch.sigmoid(x @ self._theta) - y))[:, None]
        return inverse @ (slope.T @ slope) @ inverse, "sandwich"

    def _refuse_dependent_inputs(self) -> None:
        values, vectors = torch.linalg.eigh(self._scaled(self._derivatives()[1]))
        self._curvature = float(values[0])
        self._refuse_wrong_curvature(values)
        if self._curvature < 1e-12 * float(values[-1]):
            size = vectors[:, 0].abs()
            names = self._train.names
            involved = [names[i] for i in range(len(names)) if float(size[i]) > 0.01 * float(size.max())]
            raise ValueError(
                f"features {involved} depend on each other linearly, so their coefficients have no unique "
                "solution; leave one out of data.features, set model.l2=1e-4 or use model.solver=gradient"
            )

    def _refuse_wrong_curvature(self, values: Tensor) -> None:
        if bool((self._train.weights < 0).any()) and float(values[0]) < -1e-12 * float(values.abs().max()):
            raise ValueError(
                "the negative weights leave the likelihood without a maximum: along some direction of the features "
                "it curves upwards; set trainer.negative_weights=zero or abs, or use model.solver=gradient"
            )

    def _flatness(self, hessian: Tensor) -> float:
        """The smallest curvature, relative to its value at the start."""
        return float(torch.linalg.eigvalsh(self._scaled(hessian))[0]) / self._curvature

    def _scaled(self, hessian: Tensor) -> Tensor:
        """The Hessian in units of the largest size of each input, so that scales do not matter."""
        scale = self._sizes()
        return hessian / scale / scale[:, None]

    def _sizes(self) -> Tensor:
        return self._train.inputs.abs().amax(0).clamp_min(1e-300)


def _design(part: Rows) -> TensorTable:
    """The table in float64 with a leading column of ones for the intercept."""
    if not isinstance(part, TensorTable):
        raise ValueError(
            f"solver=newton holds its table in memory, where {len(part.targets):,} events do not fit; "
            "use solver=gradient, or fewer events"
        )
    inputs = part.inputs.double()
    ones = torch.ones((len(inputs), 1), dtype=torch.float64, device=inputs.device)
    names = ("intercept", *part.names)
    return TensorTable(torch.cat((ones, inputs), 1), part.targets.double(), part.weights.double(), names)
