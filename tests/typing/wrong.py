"""What a type checker is to report: each line that says so, and no other."""

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError
from pyrelu.inspection import layer_report

pr.no_such_function(1.0)  # reported
pr.gelu(1.0, approximate="erf")  # reported
pr.softmax(1.5, axis="rows")  # reported
values: list[float] = pr.gelu([1.0, 2.0])  # reported
pr.relu(x=1.0)  # reported
pr.set_num_threads("2")  # reported
pr.find("gelu")  # reported
print(pr.activations["gelu"].fomula)  # reported
MLPClassifier(hidden_layers=(10,))  # reported
MLPClassifier(loss=3)  # reported
MLPClassifier((10,), "relu", "adam")  # reported
MLPClassifier(solver="adamax")  # reported
MLPClassifier(alpha="0.1")  # reported
MLPRegressor(class_weight="balanced")  # reported
mlp = MLPClassifier()
mlp.fit([[0.0], [1.0]])  # reported
mlp.fit([[0.0], [1.0]], [0, 1], evalset=None)  # reported
mlp.fit([[0.0], [1.0]], [0, 1], eval_set=[0.0])  # reported
mlp.save()  # reported
MLPClassifier(numeric_features=[[True, False]])  # reported
MLPClassifier.load(1)  # reported
length: int = mlp.loss_curve_  # reported
Checkpoint("fit", each=2)  # reported
EarlyStopping(mode="maximum")  # reported
InvalidFileError("file")  # reported
layer_report(mlp)  # reported
print(layer_report(mlp, [[0.0]])[0].alive)  # reported
