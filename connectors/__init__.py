"""One file per outside system; foreign words become ours."""
