"""The script that Streamlit runs: it draws the page of the store that the environment names."""

# A script has no package: hence the absolute name, which pyright cannot follow to the mapped root.
from codecarena.reports.views.leaderboard import main  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

main()
