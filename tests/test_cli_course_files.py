"""`pyrelu train`, `predict` and `compare` on files in the shape of those that courses use."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from helpers import rng, write

from pyrelu import cli

PASSENGER = ["male", "female"]
REAL = {
    # name: (header, a row by its number and a random generator, target, options)
    "diamonds": (
        "carat,cut,color,clarity,depth,table,price,x,y,z",
        lambda i, r: (
            [
                r.uniform(0.2, 5),
                r.choice(["Ideal", "Premium", "Fair"]),
                r.choice([*"DEFGHIJ"]),
                "VS2",
                61.5,
                55.0,
                r.integers(326, 18823),
                3.95,
                3.98,
                2.43,
            ]
        ),
        "price",
        [],
    ),
    "penguins": (
        "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex",
        lambda i, r: (
            [
                ["Adelie", "Gentoo"][i % 2],
                "Torgersen",
                r.choice([39.1, 40.2, ""]),
                18.7,
                181 + i % 30,
                r.choice([3750, ""]),
                r.choice(["Male", "Female", ""]),
            ]
        ),
        "species",
        [],
    ),
    "titanic of Kaggle": (
        "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked",
        lambda i, r: (
            [
                i + 1,
                r.integers(2),
                r.integers(1, 4),
                f'"Braund, Mr. {i} ""Owen"""',
                r.choice(PASSENGER),
                r.choice(["", 22, 38.5]),
                1,
                0,
                r.choice([f"A/5 {i}", 113803 + i, 7]),
                7.25,
                r.choice(["", "C85"]),
                r.choice([*"SCQ"]),
            ]
        ),
        "Survived",
        [],
    ),
    "titanic of seaborn": (
        "survived,pclass,sex,age,fare,embarked,class,who,adult_male,deck,embark_town,alive,alone",
        lambda i, r: (
            [
                i % 2,
                3,
                r.choice(PASSENGER),
                r.choice(["", 22.0]),
                7.25,
                r.choice(["S", ""]),
                "Third",
                "man",
                r.choice(["True", "False"]),
                r.choice(["", "C"]),
                "Southampton",
                ["no", "yes"][i % 2],
                r.choice(["True", "False"]),
            ]
        ),
        "survived",
        ["--ignore", "alive"],
    ),
    "pima": (
        '"","npreg","glu","bp","skin","bmi","ped","age","type"',
        lambda i, r: (
            [
                f'"{i + 1}"',
                5,
                r.integers(60, 200),
                r.choice(["NA", 68]),
                r.choice(["NA", 28]),
                30.2,
                0.3,
                24,
                ["Yes", "No"][i % 2],
            ]
        ),
        "type",
        [],
    ),
    "credit": (
        "Income,Limit,Rating,Cards,Age,Education,Own,Student,Married,Region,Balance",
        lambda i, r: [14.9 + i, 3606, 283, 2, 34, 11, "No", r.choice(["Yes", "No"]), "Yes", "South", 333 + 7 * i],
        "Balance",
        [],
    ),
    "credit card": (
        '"Time","V1","V2","Amount","Class"',
        lambda i, r: [i, r.normal(), r.normal() * 1e-16, r.uniform(0, 3000), f'"{int(i % 30 == 0)}"'],
        "Class",
        [],
    ),
    "seattle weather": (
        "date,precipitation,temp_max,temp_min,wind,weather",
        lambda i, r: [f"2012/{1 + i % 12:02}/{1 + i % 28:02}", 0.0, 12.8, 5.0, 4.7, ["sun", "rain", "fog"][i % 3]],
        "weather",
        [],
    ),
    "texas housing": (
        "city,year,month,sales,volume,median,listings,inventory,date",
        lambda i, r: (
            [
                ["Abilene", "Waco"][i % 2],
                2000,
                1 + i % 12,
                r.choice(["NA", 72]),
                5380000,
                71400 + i * 100,
                701,
                r.choice([6.3, "NA"]),
                2000 + i / 12,
            ]
        ),
        "median",
        [],
    ),
    "iris": (
        "sepal_length,sepal_width,petal_length,petal_width,species",
        lambda i, r: [5.1, 3.5, 1.4 + i % 3, 0.2, ["setosa", "versicolor", "virginica"][i % 3]],
        "species",
        [],
    ),
    "wine": (
        "fixed acidity;volatile acidity;alcohol;quality",
        lambda i, r: [7.4, r.uniform(), 9.4 + i % 3, 5 + i % 3],
        "quality",
        [],
    ),
    "mtcars": (
        "rownames,mpg,cyl,disp,hp",
        lambda i, r: [f"Mazda RX{i}", 21 + i / 10, 6, 160, 110],
        "mpg",
        [],
    ),
    "tips": (
        "total_bill,tip,sex,smoker,day,time,size",
        lambda i, r: [16.99 + i, r.uniform(1, 10), "Female", "No", r.choice(["Sun", "Thur"]), "Dinner", 2],
        "tip",
        [],
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_files_that_courses_use(name, tmp_path, monkeypatch, capsys):
    """Each trains as it comes, and predicts the same from the raw file and from one with columns in another order."""
    monkeypatch.chdir(tmp_path)
    header, row, target, extra = REAL[name]
    random = rng(name)
    sep = ";" if ";" in header else ","
    lines = [header, *(sep.join(map(str, row(i, random))) for i in range(120))]
    write(tmp_path, "\n".join(lines) + "\n")
    arguments = ["--target", target, "--epochs", "8", "--seed", "0", "--hidden", "8", *extra]
    assert cli.main(["train", "data.csv", *arguments, "--output", "model", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["training rows"] + report["test rows"] == 120
    index = {"titanic of Kaggle": "PassengerId", "mtcars": "rownames", "pima": ""}.get(name)
    assert index not in report["features"] and target not in report["features"]
    assert cli.main(["predict", "model", "data.csv"]) == 0
    first = capsys.readouterr().out
    frame = pd.read_csv("data.csv", sep=sep, dtype=str, keep_default_na=False)
    truth = frame[target].to_numpy()
    predicted = np.array([cells[0] for cells in list(csv.reader(io.StringIO(first)))[1:]])
    assert len(predicted) == 120
    if report["task"] == "classification":
        n_right = report["training accuracy"] * report["training rows"] + report["test accuracy"] * report["test rows"]
        assert (predicted == truth).sum() == round(n_right)
    frame[frame.columns[::-1]].assign(more="x").drop(columns=target).to_csv("turned.csv", index=False)
    assert cli.main(["predict", "model", "turned.csv"]) == 0
    assert capsys.readouterr().out == first
