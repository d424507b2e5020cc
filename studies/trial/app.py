"""The script that Streamlit runs where only raters are served."""

# A script has no package: hence the absolute name, which pyright cannot follow to the mapped root.
from codecarena.studies.trial.page import main  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

main()
