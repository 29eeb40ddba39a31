"""`course data restore`: from git, from a folder and from a zip file; nothing is lost, nothing half-written."""

import hashlib
import os
import shutil
import subprocess
import zipfile

import pytest

from course_utils import paths
from course_utils.cli import restore as restore_module
from course_utils.cli.errors import CourseError
from course_utils.cli.restore import restore
from course_utils.data_files import MANIFEST, sha256

FILES = {"birds/owl.bin": b"owl\r\n\n" * 50, "birds/wren.bin": b"wren" * 50, "clocks.txt": b"tick\n"}


def write_data(folder):
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    lines = [f"{sha256(folder / name)}  {name}\n" for name in FILES]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", newline="\n")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of three data files without git; its data folder."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))  # git must not find a repository further up
    monkeypatch.setenv("LC_ALL", "C")  # git speaks English
    folder = tmp_path / "course" / "data"
    write_data(folder)
    monkeypatch.setattr(paths, "DATA", folder)
    return folder


@pytest.fixture
def git_course(course):
    (course / ".gitattributes").write_text("* -text\n")
    git(course, "init", "-q")
    commit(course)
    return course


def git(course, *arguments):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "core.autocrlf=true"]
    subprocess.run(["git", *identity, *arguments], cwd=course.parent, check=True, capture_output=True)


def commit(course):
    git(course, "add", "data")
    git(course, "commit", "-q", "-m", "data")


def assert_whole(folder):
    for name, content in FILES.items():
        assert (folder / name).read_bytes() == content, name
    assert not list(folder.rglob("*.part"))


def test_nothing_to_do(git_course, capsys):
    restore()
    assert capsys.readouterr().out == "3 of 3 files were as shipped, 0 restored\n"


def test_all_damage_is_repaired_from_git(git_course, capsys):
    (git_course / "birds/owl.bin").unlink()
    (git_course / "birds/wren.bin").write_bytes(b"wren")
    (git_course / "clocks.txt").write_bytes(b"tick\r\n")
    restore()
    assert_whole(git_course)
    assert capsys.readouterr().out.splitlines() == [
        "data/birds/owl.bin: restored",
        "data/birds/wren.bin: restored; what was there is kept as wren.bin.changed",
        "data/clocks.txt: restored; what was there is kept as clocks.txt.changed",
        "0 of 3 files were as shipped, 3 restored",
    ]
    assert (git_course / "birds/wren.bin.changed").read_bytes() == b"wren"


def test_a_whole_folder_can_be_gone(git_course):
    shutil.rmtree(git_course / "birds")
    restore()
    assert_whole(git_course)


def test_a_second_change_does_not_overwrite_the_first(git_course):
    for content in (b"first", b"second", b"third"):
        (git_course / "clocks.txt").write_bytes(content)
        restore()
    kept = [(git_course / f"clocks.txt.changed{number}").read_bytes() for number in ("", 2, 3)]
    assert kept == [b"first", b"second", b"third"]


def test_only_what_is_named(git_course, capsys):
    for name in FILES:
        (git_course / name).unlink()
    restore(["birds/owl.bin"])
    assert [(git_course / name).exists() for name in FILES] == [True, False, False]
    restore(["data/birds/"])
    assert [(git_course / name).exists() for name in FILES] == [True, True, False]
    capsys.readouterr()
    restore([r"data\birds\owl.bin"])
    assert "data/birds/owl.bin: already as shipped" in capsys.readouterr().out


def test_a_committed_change_is_found_further_back(git_course):
    (git_course / "clocks.txt").write_bytes(b"tock\n")
    commit(git_course)
    restore(["clocks.txt"])
    assert_whole(git_course)


@pytest.mark.parametrize("damage", ["missing", "changed", "unreadable"])
def test_the_manifest_itself(git_course, damage):
    manifest = git_course / MANIFEST
    whole = manifest.read_bytes()
    if damage == "missing":
        manifest.unlink()
    else:
        manifest.write_bytes(b"\xff\xfe" if damage == "unreadable" else whole.replace(b"a", b"b"))
    restore([MANIFEST])
    assert manifest.read_bytes() == whole
    restore()
    assert_whole(git_course)


@pytest.mark.parametrize("length", [0, 1, 64, 65, 66, 70, -1])
def test_an_empty_or_cut_manifest_is_restored_before_the_files_that_it_lists(git_course, length):
    manifest = git_course / MANIFEST
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:length])
    (git_course / "clocks.txt").unlink()
    restore()
    assert manifest.read_bytes() == whole
    assert_whole(git_course)


def test_a_manifest_cut_between_two_lines_is_told_by_the_files_that_it_leaves_out(git_course, capsys):
    manifest = git_course / MANIFEST
    whole = manifest.read_text().splitlines(keepends=True)
    manifest.write_text(whole[0], newline="\n")
    restore()
    assert capsys.readouterr().out.splitlines() == [
        "1 of 1 files were as shipped, 0 restored",
        "data/MANIFEST.sha256 does not list 2 of the data files (data/birds/wren.bin, data/clocks.txt): "
        "they are yours, or the list is not whole",
        "To restore the list, run: python course.py data restore MANIFEST.sha256",
    ]
    restore([MANIFEST])
    assert manifest.read_text() == "".join(whole)
    assert "does not list" not in capsys.readouterr().out


def test_what_is_written_by_hand_hidden_or_set_aside_is_not_told(course, capsys):
    for name in ("README.md", "prepare/all.py", ".gitattributes", "birds/.cache/owl.bin", "birds/owl.bin.changed2"):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_bytes(b"x")
    restore()
    assert capsys.readouterr().out == "3 of 3 files were as shipped, 0 restored\n"


def test_an_empty_manifest_of_another_copy_is_refused(course, tmp_path):
    write_data(tmp_path / "copy")
    (tmp_path / "copy" / MANIFEST).write_bytes(b"")
    (course / MANIFEST).unlink()
    with pytest.raises(CourseError, match=r"there is none of the course, and nothing was changed \(an empty file\)"):
        restore(None, tmp_path / "copy")
    assert not (course / MANIFEST).exists()


def test_a_list_with_the_line_ends_of_windows_is_as_good(course, tmp_path):
    write_data(tmp_path / "copy")
    manifest = tmp_path / "copy" / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    (course / MANIFEST).unlink()
    (course / "clocks.txt").unlink()
    restore(None, tmp_path / "copy")
    assert_whole(course)


@pytest.mark.parametrize("what", ["course", "data"])
@pytest.mark.parametrize("kind", ["folder", "zip", "zip inside a folder"])
def test_from_another_copy(course, tmp_path, what, kind):
    source = tmp_path / "copy"
    write_data(source / "data" if what == "course" else source)
    if kind != "folder":
        start = tmp_path if kind == "zip inside a folder" and what == "course" else source
        with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
            for path in source.rglob("*.*"):
                archive.write(path, path.relative_to(start))
        source = tmp_path / "copy.zip"
    for name in FILES:
        (course / name).unlink()
    (course / MANIFEST).unlink()
    restore(None, source)
    assert_whole(course)


def test_the_copy_may_be_given_as_text(course, tmp_path):
    write_data(tmp_path / "copy")
    (course / "clocks.txt").unlink()
    restore(["clocks.txt"], str(tmp_path / "copy"))
    assert_whole(course)


def test_a_damaged_copy_is_not_taken(course, tmp_path, capsys):
    write_data(tmp_path / "copy")
    (tmp_path / "copy/clocks.txt").write_bytes(b"tock\n")
    (course / "clocks.txt").write_bytes(b"mine\n")
    (course / "birds/owl.bin").unlink()
    with pytest.raises(CourseError, match=r"no file with the right checksum for 1 of the data files \(data/clocks"):
        restore(None, tmp_path / "copy")
    assert (course / "clocks.txt").read_bytes() == b"mine\n"  # left alone
    assert (course / "birds/owl.bin").read_bytes() == FILES["birds/owl.bin"]  # the others are restored
    assert "data/clocks.txt: not restored" in capsys.readouterr().out


def test_without_git_it_says_what_to_do(course, monkeypatch):
    (course / "clocks.txt").unlink()
    nothing = r"no file with the right checksum for 1 .*restore --from FOLDER_OR_ZIP.*README\.md tells\n"
    with pytest.raises(CourseError, match=nothing + "git says: fatal: not a git repository"):
        restore()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match=nothing + "git says: git does not start"):
        restore()
    (course / MANIFEST).unlink()
    with pytest.raises(CourseError, match=r"data/MANIFEST\.sha256 could not be restored: (?s:.*)git does not start"):
        restore()


def test_gits_own_words_say_why_a_repository_of_another_owner_gives_nothing(git_course, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # where safe.directory may stand
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (git_course / "clocks.txt").unlink()
    with pytest.raises(CourseError, match="dubious ownership") as caught:
        restore()
    assert "git config --global --add safe.directory" in str(caught.value)


def test_gits_own_words_say_that_its_store_is_damaged(git_course):
    (git_course / "clocks.txt").unlink()
    for file in (git_course.parent / ".git" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(b"")
    with pytest.raises(CourseError, match=r"git says: (?s:.*)is empty"):
        restore()


def test_a_shallow_clone_restores_what_it_has(git_course, tmp_path, monkeypatch):
    for content in (b"tock\n", FILES["clocks.txt"]):
        (git_course / "clocks.txt").write_bytes(content)
        commit(git_course)
    url = git_course.parent.as_uri()
    git(git_course, "clone", "-q", "--depth=1", url, str(tmp_path / "clone"))
    monkeypatch.setattr(paths, "DATA", tmp_path / "clone" / "data")
    shutil.rmtree(paths.DATA / "birds")
    (paths.DATA / "clocks.txt").unlink()
    restore()
    assert_whole(paths.DATA)


@pytest.mark.parametrize("name", ["birds/robin.bin", "../clocks.txt", "bird", "prepare"])
def test_an_unknown_name(course, name):
    with pytest.raises(CourseError, match=r"is no file or folder of the manifest: it has birds, clocks\.txt"):
        restore([name])


def test_a_copy_that_is_none(course, tmp_path):
    with pytest.raises(CourseError, match=r"there is no .*nowhere: give a folder or zip file"):
        restore(None, tmp_path / "nowhere")
    (tmp_path / "note.txt").write_text("no zip file")
    with pytest.raises(CourseError, match="neither a folder nor a zip file"):
        restore(None, tmp_path / "note.txt")


def test_a_broken_zip_file(course, tmp_path):
    write_data(tmp_path / "copy")
    (course / "birds/owl.bin").unlink()
    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
        archive.write(tmp_path / "copy/birds/owl.bin", "birds/owl.bin")
    content = bytearray((tmp_path / "copy.zip").read_bytes())
    content[60] ^= 0xFF
    (tmp_path / "copy.zip").write_bytes(content)
    with pytest.raises(CourseError, match="is a broken zip file"):
        restore(None, tmp_path / "copy.zip")


def test_an_interrupted_write_leaves_the_old_file(git_course, monkeypatch):
    (git_course / "clocks.txt").write_bytes(b"mine\n")

    def full_disk(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(restore_module.Path, "write_bytes", full_disk)
    with pytest.raises(CourseError, match=r"data/clocks\.txt could not be written: No space left on device"):
        restore()
    assert (git_course / "clocks.txt").read_bytes() == b"mine\n"


@pytest.mark.parametrize(
    "name", ["../../evil.py", "birds/../../evil.py", "/evil.py", "C:/evil.py", "..\\evil.py", "./evil"]
)
def test_a_copy_whose_list_leads_out_of_the_folder_is_refused_and_nothing_changes(course, tmp_path, name):
    evil = b"print('mine now')"
    (course / MANIFEST).unlink()
    with zipfile.ZipFile(tmp_path / "copy.zip", "w") as archive:
        archive.writestr(f"data/{name}", evil)
        archive.writestr(f"data/{MANIFEST}", f"{hashlib.sha256(evil).hexdigest()}  {name}\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CourseError, match="nothing was changed"):
        restore(source=tmp_path / "copy.zip")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_list_of_this_copy_that_leads_out_of_the_folder_is_refused(course, tmp_path):
    """As a broken or foreign MANIFEST that was put here by hand."""
    (course / MANIFEST).write_text("0" * 64 + "  ../evil.py\n")
    shutil.copytree(course, tmp_path / "copy" / "data")
    (tmp_path / "copy" / "evil.py").write_text("print('mine now')")
    with pytest.raises(CourseError, match="nothing was changed"):
        restore(source=tmp_path / "copy")
    assert not (course.parent / "evil.py").exists()


def test_a_member_that_unpacks_to_too_much_is_not_read(course, tmp_path, monkeypatch):
    monkeypatch.setattr(restore_module, "LARGEST_FILE", 100_000)
    (course / "clocks.txt").unlink()
    with zipfile.ZipFile(tmp_path / "copy.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/clocks.txt", b"0" * 1_000_000)
    with pytest.raises(CourseError, match=r"data/clocks\.txt in .* would unpack to 1 MB"):
        restore(["clocks.txt"], tmp_path / "copy.zip")
