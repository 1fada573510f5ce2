"""Which recipe is the plan of which C file."""

from pathlib import Path

from tools.kernels.object_plan import ObjectPlan
from tools.kernels.plan_module import object_plans, objects
from tools.kernels.recorder import Line

EXPORTED = "export A='1'\n"


def cmd(path: Path, target: str, source: str) -> None:
    """A .cmd file as fixdep writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"savedcmd_{target} := gcc -c -o {target} {source}", f"source_{target} := {source}", f"deps_{target} :="]
    path.write_text("\n\n".join(lines) + "\n")


def test_objects_by_absolute_and_by_relative_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    cmd(tmp_path / ".a.o.cmd", f"{tmp_path}/a.o", f"{tmp_path}/a.c")
    cmd(tmp_path / "sub/.b.o.cmd", "sub/b.o", "sub/b.c")
    cmd(tmp_path / "sub/deep/.c.o.cmd", "deep/c.o", "deep/c.c")
    (tmp_path / ".m.o.cmd").write_text("savedcmd_m.o := ld -r -o m.o a.o\n")
    assert sorted(objects(tmp_path)) == [
        (tmp_path / "a.c", f"{tmp_path}/a.o"),
        (tmp_path / "sub/b.c", "sub/b.o"),
        (tmp_path / "sub/deep/c.c", "deep/c.o"),
    ]


def test_the_recipe_of_a_target_is_the_plan(tmp_path: Path) -> None:
    here = str(tmp_path)
    lines = [
        Line(here, "a.o", "gcc -c -o a.o a.c", EXPORTED),
        Line(here, "a.o", "objtool a.o", ""),
        Line(here, "m.o", "ld -r -o m.o a.o", ""),
    ]
    plans = object_plans([(tmp_path / "a.c", "a.o")], lines, {"/build/x": "/build/source"}, {"/build/source": "net"})
    assert plans == {
        tmp_path / "a.c": ObjectPlan(
            cwd=here,
            environment={"A": "1", "SHELL": "/bin/sh"},
            recipe=("gcc -c -o a.o a.c", "objtool a.o"),
            links={"/build/x": "/build/source"},
            shown={"/build/source": "net"},
        )
    }


def test_objects_of_one_name_in_two_folders(tmp_path: Path) -> None:
    lines = [Line(f"{tmp_path}/{sub}", "m.o", f"gcc -c -o m.o {sub}", EXPORTED) for sub in ("one", "two")]
    found = [(tmp_path / sub / "m.c", "m.o") for sub in ("one", "two")]
    plans = object_plans(found, lines, {}, {})
    assert {path.parent.name: plan.recipe for path, plan in plans.items()} == {
        "one": ("gcc -c -o m.o one",),
        "two": ("gcc -c -o m.o two",),
    }


def test_a_file_that_is_compiled_twice_has_no_plan(tmp_path: Path) -> None:
    lines = [Line(str(tmp_path), "a.o", text, EXPORTED) for text in ("gcc -c -o a.o a.c", "gcc -DX -c -o a.o a.c")]
    assert object_plans([(tmp_path / "a.c", "a.o")], lines, {}, {}) == {}


def test_a_plan_is_read_back() -> None:
    plan = ObjectPlan("/x", {"A": "1"}, ("a", "b"), {}, {"/build/source": "net"})
    assert ObjectPlan.from_json(plan.to_json()) == plan
    assert ObjectPlan.from_json("") is None
