"""Search each codec's setting nearest to a target rate or score, by picture or by set.

Every probe is stored as an ordinary row, marked as a probe, and none is encoded twice.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ..store.plan_store import PlanStore
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.device import cores, describe
from .execution import Execution, RunTarget
from .prepare import Options, prepare
from .searches import MatchReport, Progress, Searches
from .suite import Suite
from .targets import Target


def run(
    suite: Suite, text: str, store: PlanStore, options: Options, target: Target, progress: Progress
) -> MatchReport:
    """Return the report of one search for each codec and picture (or set) of a suite.

    Args:
        suite: The codecs and pictures, and the metrics that score the settings searched.
        text: The suite file's text, kept with the run.
        store: Where probes, matches and scores go, a `StoreWriter` unless the run is dry; probes that are
            there are not measured again.
        options: Workers, and the parts of the suite to search.
        target: The rate or score to reach.
        progress: Receives every probe and every search that ends.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
        StoreError: The store cannot be written.
    """
    workers = options.workers or cores()
    metrics = dict.fromkeys([*suite.metrics, *([target.metric] if target.metric else [])])
    suite = suite.model_copy(update={"metrics": tuple(metrics)})
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="cell") as executor:
            try:
                prepared = prepare(suite, store, options, executor)
                searches = Searches(prepared, store, target, options.wanted.retry_failed, progress)
                progress.searching(searches.report.searches)
                if isinstance(store, StoreWriter) and not options.dry_run:
                    searches.run_id = store.begin_run(suite.name, text, describe(), workers, 0, options.call)
                    limits = prepared.suite.cell_limits
                    place = RunTarget(
                        store, searches.run_id, prepared.metric_ids, limits, workers, probe=True
                    )
                    execution = Execution(place, searches)
                    execution.run(executor)
                    searches.save()
                    searches.report.interrupted = execution.interrupted
            finally:
                pool.stop()
    finally:
        pool.close()
    return searches.report
