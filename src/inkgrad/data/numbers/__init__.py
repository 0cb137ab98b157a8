"""Numbers composed of the digits of one hand, on paper: what a reader of whole numbers learns from."""

from inkgrad.data.numbers.hands import Hands
from inkgrad.data.numbers.paper import Paper, on_sheet
from inkgrad.data.numbers.signs import SIGNS
from inkgrad.data.numbers.writing import Row, Style, write_row

__all__ = ["SIGNS", "Hands", "Paper", "Row", "Style", "on_sheet", "write_row"]
