"""Refusals: their codes, texts and order, and that the tree in the docstring is the truth."""

import re
from dataclasses import FrozenInstanceError, fields, replace

import pytest

import domain.refusals
from domain.refusals import (
    REFUSALS,
    ApprovalClosed,
    Conflict,
    InsufficientStock,
    Invalid,
    InvalidCredentials,
    LimitReached,
    LockedOut,
    NeedsApproval,
    NotFound,
    NotPermitted,
    Refusal,
    ReservationClosed,
    SaleNotOpen,
    Stale,
    TicketRequired,
)
from domain.states import ApprovalState, ReservationState
from tests.domain.story import id_of
from tests.domain.world import START

ID = id_of("R1")
TEXTS: list[tuple[Refusal, str]] = [
    (NotPermitted("stock:adjust"), "this needs the permission stock:adjust"),
    (Invalid("quantity", "must be positive"), "must be positive"),
    (NotFound("sku", "MUG"), "no sku MUG"),
    (Conflict(ID), f"the id {ID} was used before with other content"),
    (
        NeedsApproval(ID, "adjustStock", START),
        f"a second person has to grant this by {START:%Y-%m-%dT%H:%M:%SZ};"
        " nothing has happened yet",
    ),
    (ApprovalClosed(ApprovalState.STALE), "the request for approval is stale"),
    (SaleNotOpen(START, None), "the sale has not opened yet"),
    (SaleNotOpen(START, START), "the sale is over"),
    (
        TicketRequired(ID),
        "this sale has a waiting room: join it and come back with the admitted ticket",
    ),
    (LockedOut(START), f"too many attempts: wait until {START:%Y-%m-%dT%H:%M:%SZ}"),
    (InvalidCredentials(), "these credentials are not good"),
    (LimitReached(2, 1), "at most 2 per customer, 1 already taken"),
    (ReservationClosed(ReservationState.EXPIRED), "the reservation is expired"),
    (Stale(expected=4, actual=5), "the bucket holds 5, not 4"),
    (InsufficientStock("MUG", "BER", 5, 2), "5 of MUG wanted, 2 available in BER"),
    (InsufficientStock("MUG", None, 5, 2), "5 of MUG wanted, 2 available in any warehouse"),
]


@pytest.mark.parametrize(("refusal", "text"), TEXTS)
def test_a_refusal_tells_people_why(refusal: Refusal, text: str) -> None:
    assert refusal.message == text


def test_every_refusal_is_tried_here() -> None:
    assert {type(refusal) for refusal, _ in TEXTS} == set(REFUSALS)


def test_codes_are_the_names_in_capitals() -> None:
    for refusal in REFUSALS:
        words = re.findall("[A-Z][a-z]+", refusal.__name__)
        assert refusal.code == "_".join(words).upper()


def test_only_a_request_a_lock_and_a_shortage_may_pass_by_themselves() -> None:
    passing = [refusal for refusal in REFUSALS if refusal.is_transient]
    assert passing == [NeedsApproval, LockedOut, InsufficientStock]


def test_the_tree_in_the_docstring_has_every_refusal_in_the_order_of_the_checks() -> None:
    tree = re.findall(r"── (\w+)", domain.refusals.__doc__ or "")
    assert tree == [refusal.__name__ for refusal in REFUSALS]


@pytest.mark.parametrize("refusal", [refusal for refusal, _ in TEXTS])
def test_a_refusal_is_a_value(refusal: Refusal) -> None:
    twin = replace(refusal)
    assert refusal == twin
    assert hash(refusal) == hash(twin)
    assert not hasattr(refusal, "__dict__")
    for field in fields(refusal):
        with pytest.raises(FrozenInstanceError):
            setattr(refusal, field.name, "other")
