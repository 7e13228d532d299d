"""How long a case stood in each stage."""

import itertools

from registrations import pipeline, verbs
from registrations.models import Registration, StageSpell
from tests.cases import make_case


def spells(case) -> list[StageSpell]:
    return list(StageSpell.objects.filter(registration=case).order_by("id"))


def test_the_spells_of_a_walk_follow_one_another_without_a_gap(desk):
    case = make_case()
    assert spells(case) == []
    verbs.submit(case, actor="ann")
    registration = desk.run(case.pk, until=lambda now: now.stage == "otp")
    found = spells(case)
    assert found[0].stage == "draft"
    assert found[0].entered_at == case.stage_since
    assert found[-1].stage == "otp"
    assert found[-1].left_at is None
    assert found[-1].entered_at == registration.stage_since
    assert [one.left_at for one in found[:-1]] == [one.entered_at for one in found[1:]]
    assert all(one.stage != after.stage for one, after in itertools.pairwise(found))


def test_a_case_from_before_the_first_spell_gets_one_for_where_it_stood(db):
    case = make_case()
    Registration.objects.filter(pk=case.pk).update(stage="brand")
    pipeline.restate(case.pk)  # it is a draft in truth
    assert [(one.stage, one.left_at is None) for one in spells(case)] == [("brand", False), ("draft", True)]
