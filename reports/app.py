"""The script that Streamlit runs: it draws the page of the store that the environment names."""

# A script has no package: hence the absolute names, which pyright cannot follow to the mapped root.
from codecarena.reports.server import server  # pyright: ignore[reportMissingImports]
from codecarena.reports.views import navigation  # pyright: ignore[reportMissingImports]
from codecarena.studies.trial import page as trial  # pyright: ignore[reportMissingImports]

if trial.is_for_raters():
    trial.main()
else:
    navigation.main(server.served())
