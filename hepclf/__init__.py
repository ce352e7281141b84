"""Train, evaluate and deploy signal/background classifiers for high-energy physics."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hepclf.data.csv import CSV as CSV
    from hepclf.data.digits import Digits as Digits
    from hepclf.data.gw import GW as GW
    from hepclf.data.hdf5 import HDF5 as HDF5
    from hepclf.data.ising import Ising as Ising
    from hepclf.data.loader import Loader as Loader
    from hepclf.data.mixture import Mixture as Mixture
    from hepclf.data.npz import NPZ as NPZ
    from hepclf.data.parquet import Parquet as Parquet
    from hepclf.data.root import Root as Root
    from hepclf.data.samples import Sample as Sample
    from hepclf.data.samples import SumOfWeights as SumOfWeights
    from hepclf.data.split import Split as Split
    from hepclf.data.strain import Strain as Strain
    from hepclf.evaluation.evaluation import Evaluation as Evaluation
    from hepclf.evaluation.evaluation import evaluate as evaluate
    from hepclf.evaluation.results import Results as Results
    from hepclf.events import Events as Events
    from hepclf.models.adaboost import AdaBoost as AdaBoost
    from hepclf.models.bdt import BDT as BDT
    from hepclf.models.cnn import CNN as CNN
    from hepclf.models.cuts import Cuts as Cuts
    from hepclf.models.fisher import Fisher as Fisher
    from hepclf.models.forest import Forest as Forest
    from hepclf.models.knn import KNN as KNN
    from hepclf.models.least_squares import LeastSquares as LeastSquares
    from hepclf.models.lightgbm import LightGBM as LightGBM
    from hepclf.models.likelihood import Likelihood as Likelihood
    from hepclf.models.loading import load_tagger as load_tagger
    from hepclf.models.logistic import Logistic as Logistic
    from hepclf.models.mlp import MLP as MLP
    from hepclf.models.mlp_plain import PlainMLP as PlainMLP
    from hepclf.models.model import Tagger as Tagger
    from hepclf.models.network import Network as Network
    from hepclf.models.perceptron import Perceptron as Perceptron
    from hepclf.models.polynomial import Polynomial as Polynomial
    from hepclf.models.preprocess import Preprocess as Preprocess
    from hepclf.models.scikit import Sklearn as Sklearn
    from hepclf.models.svm import SVM as SVM
    from hepclf.models.tree import Tree as Tree
    from hepclf.models.xgboost import XGBoost as XGBoost
    from hepclf.prediction.predict import predict as predict
    from hepclf.prediction.prediction import Prediction as Prediction
    from hepclf.run import Run as Run
    from hepclf.run import new_folder as new_folder
    from hepclf.scored import Scored as Scored
    from hepclf.statistics.value import Value as Value
    from hepclf.training.trainer import Trainer as Trainer
    from hepclf.workflow.evaluated import evaluated as evaluated
    from hepclf.workflow.fit import fit as fit
    from hepclf.workflow.job import Job as Job
    from hepclf.workflow.members.kfold import KFold as KFold
    from hepclf.workflow.prepare import prepare as prepare
    from hepclf.workflow.train import Trained as Trained
    from hepclf.workflow.train import train as train

_HOMES = {
    "CSV": "data.csv",
    "Digits": "data.digits",
    "GW": "data.gw",
    "HDF5": "data.hdf5",
    "Ising": "data.ising",
    "Loader": "data.loader",
    "Mixture": "data.mixture",
    "NPZ": "data.npz",
    "Parquet": "data.parquet",
    "Root": "data.root",
    "Sample": "data.samples",
    "SumOfWeights": "data.samples",
    "Split": "data.split",
    "Strain": "data.strain",
    "Evaluation": "evaluation.evaluation",
    "evaluate": "evaluation.evaluation",
    "Results": "evaluation.results",
    "AdaBoost": "models.adaboost",
    "BDT": "models.bdt",
    "CNN": "models.cnn",
    "Cuts": "models.cuts",
    "Fisher": "models.fisher",
    "Forest": "models.forest",
    "KNN": "models.knn",
    "load_tagger": "models.loading",
    "Run": "run",
    "new_folder": "run",
    "Events": "events",
    "LeastSquares": "models.least_squares",
    "LightGBM": "models.lightgbm",
    "Likelihood": "models.likelihood",
    "Logistic": "models.logistic",
    "MLP": "models.mlp",
    "PlainMLP": "models.mlp_plain",
    "Tagger": "models.model",
    "Network": "models.network",
    "Perceptron": "models.perceptron",
    "Polynomial": "models.polynomial",
    "Prediction": "prediction.prediction",
    "Preprocess": "models.preprocess",
    "Scored": "scored",
    "Value": "statistics.value",
    "Sklearn": "models.scikit",
    "SVM": "models.svm",
    "Trainer": "training.trainer",
    "Tree": "models.tree",
    "XGBoost": "models.xgboost",
    "predict": "prediction.predict",
    "evaluated": "workflow.evaluated",
    "fit": "workflow.fit",
    "Job": "workflow.job",
    "KFold": "workflow.members.kfold",
    "prepare": "workflow.prepare",
    "Trained": "workflow.train",
    "train": "workflow.train",
}
__all__ = list(_HOMES)


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import hepclf` costs nothing."""
    if name == "__version__":
        return str(import_module("importlib.metadata").version("hepclf"))
    if name not in _HOMES:
        raise AttributeError(f"module 'hepclf' has no attribute {name!r}")
    return getattr(import_module(f"hepclf.{_HOMES[name]}"), name)
