"""`evaluate` and `train`: measuring the product, and making what is trained.

Below: `checkup.evaluate`, `embeddings.training`. Above: `checkup.cli`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from checkup import context
from checkup.commands.database import JSON

train_app = typer.Typer(help="Sprachmodell und Leser trainieren (Zusatz »transformers«).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Beispiel: checkup evaluate tests/eval/judged --split dev")(evaluate)
    app.add_typer(train_app, name="train")


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Ordner mit projects.jsonl, situations.jsonl, qrels.jsonl")],
    split: Annotated[str | None, typer.Option(help="nur dieser Teil: train, dev, test oder final")] = None,
    needs: Annotated[str | None, typer.Option(help="structure: die wahren Bedarfe vorgeben")] = None,
    with_labels: Annotated[bool, typer.Option("--with-labels", help="mit den Angaben der Redaktion")] = False,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Die Güte an einem Ordner von Fällen messen."""
    from checkup.evaluate import evaluate as measure
    from data.errors import UsageError

    if needs not in (None, "structure"):
        raise UsageError("--needs kennt nur „structure“.")
    result = measure(folder, context.settings(), split=split, needs=needs, with_labels=with_labels)
    if json:
        context.print_json(result)
    else:
        from checkup.console import print_figures

        print_figures(result)
    return 0


@train_app.command("encoder", epilog="Beispiel: checkup train encoder --steps 1000 --output adapter.safetensors")
def train_encoder(
    output: Annotated[Path, typer.Option(help="Datei für den Adapter (.safetensors)")],
    base: Annotated[str, typer.Option(help="e5, oder Name oder Ordner eines Sentence-Transformers-Modells")] = "e5",
    steps: Annotated[int, typer.Option(min=1, help="Schritte zu je einem Stapel")] = 1000,
    rank: Annotated[int, typer.Option(min=1, max=128, help="Rang des Adapters")] = 16,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1e-1, help="Lernrate")] = 6e-4,
    seed: Annotated[int, typer.Option(help="Anfang der Zufallsfolge")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Rechenfäden")] = 2,
    start: Annotated[Path | None, typer.Option(help="Adapter, mit dem es weitergeht")] = None,
    export: Annotated[Path | None, typer.Option(help="Modell zusätzlich als Sentence-Transformers-Ordner")] = None,
) -> int:
    """Einen Adapter trainieren, der Lagen zu den passenden Projekten zieht."""
    _need_extra("sentence_transformers", "peft")
    from checkup import training as source
    from data.corpus_files import load_corpus
    from data.vocabulary import load_vocabulary
    from embeddings.training import Settings, save_adapter, save_merged, train

    corpus, vocabulary = load_corpus(), load_vocabulary()
    given, wanted = list(source.queries(corpus, vocabulary)), list(source.answers(corpus, vocabulary))
    settings = Settings(steps=steps, rank=rank, alpha=2 * rank, learning_rate=learning_rate, seed=seed, threads=threads)
    context.say(f"{len(given)} Lagen und Bedarfe, {len(wanted)} Antworten, {steps} Schritte")
    began = f" --start {start.name} ({sha256(start.read_bytes()).hexdigest()[:12]})" if start else ""
    card = {
        "base": base, "queries": len(given), "answers": len(wanted), "data_sha256": source.data_sha256(given, wanted),
        "command": f"checkup train encoder --base {base} --steps {steps} --rank {rank} "
        f"--learning-rate {learning_rate} --seed {seed}{began}",
    }  # fmt: skip
    with _base_folder(base) as folder:
        model = train(folder, given, wanted, settings, start=start, progress=_say_loss)
    save_adapter(model, output, settings, card=card)
    if base == "e5":
        _add_ranges(output)
    context.say(f'Adapter: {output}. Verwenden mit der Einstellung encoder = "e5:{output}"')
    if export is not None:
        from embeddings.export import write_folder

        if base == "e5":
            write_folder(export, adapter_name=str(output))
        else:
            save_merged(model, export)
        context.say(f"Modell: {export}")
    return 0


@train_app.command("ranges", epilog="Beispiel: checkup train ranges adapter.safetensors")
def train_ranges(
    adapter: Annotated[Path, typer.Argument(help="Datei des Adapters (.safetensors), von train encoder")],
) -> int:
    """Messen, wie weit die Werte im Sprachmodell reichen: damit läuft ein Adapter in 8 Bit, doppelt so schnell."""
    return 0 if _add_ranges(adapter) else 1


def _add_ranges(adapter: Path) -> bool:
    """Measures an adapter's ranges on situations and projects; says so and returns False where that is not possible."""
    if find_spec("onnx") is None:
        context.say("Ohne das Paket onnx bleibt der Adapter in 32 Bit: halb so schnell, sonst gleich.")
        return False
    from checkup.training import range_texts
    from embeddings.e5_ranges import add_ranges

    add_ranges(adapter, range_texts())
    return True


@train_app.command("readers", epilog="Beispiel: checkup train readers")
def train_readers(
    only: Annotated[str | None, typer.Option(help="needs, roles, topic oder approaches")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Prozesse, die einbetten")] = 2,
) -> int:
    """Die Leser von Bedarfen, Rollen, Thema und Ansätzen für das eingestellte Sprachmodell trainieren."""
    _need_extra("sklearn")
    from checkup.reader_training import READERS
    from checkup.reader_training import train_readers as train
    from data.corpus_files import load_corpus
    from data.errors import UsageError
    from data.store import Store
    from data.vocabulary import load_vocabulary
    from embeddings.encoders import load_encoder

    if only is not None and only not in READERS:
        raise UsageError(f"„{only}“ ist kein Leser. Möglich: {', '.join(READERS)}.")
    settings = context.settings()
    encoder = load_encoder(settings.encoder, threads=settings.threads)
    with Store.open(settings, create=True) as store, store.writing("train"):
        train(
            load_corpus(),
            load_vocabulary(),
            encoder,
            store,
            only=only,
            workers=workers,
            encoder_name=settings.encoder,
            say=context.say,
        )
    return 0


@train_app.command("answers", epilog="Beispiel: checkup train answers")
def train_answers() -> int:
    """Den Leser trainieren, der einschätzt, welche Bedarfe ein Projekt beantwortet (nach `train readers`)."""
    _need_extra("sklearn")
    from checkup.answers_training import train_answers as train
    from data.corpus_files import load_corpus
    from data.shipped import iter_shipped
    from data.store import Store
    from data.vocabulary import load_vocabulary
    from embeddings.encoders import load_encoder
    from pipeline.answers import WEIGHTS
    from pipeline.nlp.extract import extract

    settings = context.settings()
    encoder = load_encoder(settings.encoder, threads=settings.threads)
    shipped = list(iter_shipped())
    texts = ((entry.project.id, entry.project.title, entry.project.text) for entry in shipped)
    read = extract(texts, reading="rules")
    groups = {found["id"]: [group["id"] for group in found["target_groups"]] for found in read}
    with Store.open(settings, create=True) as store, store.writing("train"):
        reader = train(load_corpus(), load_vocabulary(), shipped, encoder, store, groups=groups, say=context.say)
    reader.write(WEIGHTS)
    return 0


@train_app.command("clauses", epilog="Beispiel: checkup train clauses tests/eval/gold_projects/projects.jsonl")
def train_clauses(
    gold: Annotated[Path, typer.Argument(help="projects.jsonl mit Aussagen; nur der Teil train wird gelesen")],
) -> int:
    """Die Leser trainieren, die in Texten Aussagen zur Wirkung mit ihrer Stufe und praktische Erfahrungen erkennen."""
    from checkup.clause_training import train_clause_weights

    context.say(f"Aussagen und Erfahrungen aus {train_clause_weights(gold)} Texten gelernt.")
    return 0


@train_app.command("marks", epilog="Beispiel: checkup train marks tests/eval/gold_projects/projects.jsonl")
def train_marks(
    gold: Annotated[Path, typer.Argument(help="projects.jsonl mit Aussagen; nur der Teil train wird gelesen")],
    anew: Annotated[
        list[str] | None,
        typer.Option(help="nur diese Frage neu lernen, mehrfach möglich (z. B. lesson); sonst alles von vorn"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Durchgänge durch alle Texte (sonst 3, mit --anew 2)")
    ] = None,
    teachers: Annotated[
        Path | None, typer.Option(help="Ordner, in dem die Lehrer liegen oder bewahrt werden (sonst der Cache)")
    ] = None,
    seed: Annotated[int, typer.Option(help="Anfang der Zufallsfolge")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Rechenfäden")] = 2,
) -> int:
    """Den Leser trainieren, der in jedem Satzteil und bei jeder Zahl Wirkung und Erfahrungen erkennt."""
    _need_extra("torch")
    from dataclasses import replace

    from checkup.marks_training import ANEW, SETTINGS, train_anew
    from checkup.marks_training import train_marks as train
    from checkup.shipping import write_marks
    from data.errors import UsageError
    from pipeline.nlp.marks import HEADS

    if unknown := set(anew or ()) - {head.name for head in HEADS}:
        raise UsageError(
            f"Fragen, die der Leser nicht kennt: {', '.join(sorted(unknown))}. "
            f"Er kennt: {', '.join(head.name for head in HEADS)}."
        )
    if anew and teachers:
        raise UsageError("--teachers gilt nicht mit --anew: Der Leser beginnt dann, wie er ist.")
    usual = ANEW if anew else SETTINGS
    settings = replace(usual, epochs=epochs or usual.epochs, seed=seed, threads=threads)

    def tell(name: str, epoch: int, loss: float) -> None:
        context.say(f"{name}, Durchgang {epoch}: Verlust {loss:.3f}")

    if anew:
        count = train_anew(gold, anew, settings=settings, progress=tell)
    else:
        count = train(gold, teachers=teachers, settings=settings, progress=tell)
    context.say(f"Leser aus {count} Texten gelernt.")
    context.say(f"Antworten zu {write_marks()} Projekten bewahrt.")
    return 0


@train_app.command("labels", epilog="Beispiel: checkup train labels tests/eval/gold_projects/projects.jsonl")
def train_labels(
    gold: Annotated[Path, typer.Argument(help="projects.jsonl; gelernt wird nur von Projekten seines Teils train")],
) -> int:
    """Die Leser von Thema, Handlungsfeldern und Zielgruppen trainieren."""
    from checkup.label_training import train_label_weights
    from checkup.topic_training import train_topic_weights
    from data.corpus_files import load_corpus

    corpus = load_corpus()
    context.say(f"Felder und Gruppen aus {train_label_weights(gold, corpus)} Texten gelernt.")
    context.say(f"Thema aus {train_topic_weights(gold, corpus)} Texten gelernt.")
    return 0


@train_app.command("vectors", epilog="Beispiel: checkup train vectors")
def train_vectors(workers: Annotated[int, typer.Option(min=1, help="Prozesse, die einbetten")] = 2) -> int:
    """Die Vektoren der mitgelieferten Projekte neu rechnen (nach Änderungen an Projekten oder Sprachmodell)."""
    from checkup.shipping import write_vectors

    count = write_vectors(context.settings(), workers=workers)
    context.say(f"{count} Vektoren geschrieben.")
    return 0


@train_app.command("ranking", epilog="Beispiel: checkup train ranking tests/eval/judged --split dev")
def train_ranking(
    folder: Annotated[Path, typer.Argument(help="beurteilter Ordner; nur der genannte Teil wird gelesen")],
    split: Annotated[str, typer.Option(help="Teil, an dem angepasst wird")] = "dev",
) -> int:
    """Die wenigen Gewichte der Rangfolge am Entwicklungsteil einer beurteilten Menge anpassen."""
    from checkup.ranking_training import fit_folder

    fit_folder(folder, split, context.settings(), say=context.say)
    return 0


def _need_extra(*packages: str) -> None:
    """Refuse where a package of the extra `transformers` is missing."""
    from importlib.util import find_spec

    from data.errors import CheckupError

    if any(find_spec(package) is None for package in packages):
        raise CheckupError("Das Training braucht den Zusatz »transformers«: make setup-full")


def _say_loss(step: int, loss: float) -> None:
    if step % 10 == 0:
        context.say(f"Schritt {step}: Verlust {loss:.3f}")


@contextmanager
def _base_folder(base: str) -> Iterator[str]:
    """The base model's name or folder; the default's weights are written out for the time of the training."""
    import tempfile

    from embeddings.export import write_folder

    if base != "e5":
        yield base
        return
    with tempfile.TemporaryDirectory() as name:
        write_folder(Path(name) / "base", adapter_name="none")
        yield str(Path(name) / "base")
