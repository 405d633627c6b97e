"""The tables of the OMOP common data model that are read here, and how each is known by its columns."""

from __future__ import annotations

TABLES: dict[str, frozenset[str]] = {
    "person": frozenset({"person_id", "gender_concept_id", "year_of_birth"}),
    "observation_period": frozenset({"person_id", "observation_period_start_date", "observation_period_end_date"}),
    "death": frozenset({"person_id", "death_date"}),
    "cohort": frozenset({"cohort_definition_id", "subject_id", "cohort_start_date"}),
    "cohort_definition": frozenset({"cohort_definition_id", "cohort_definition_name"}),
    "condition_occurrence": frozenset({"person_id", "condition_concept_id", "condition_start_date"}),
    "drug_exposure": frozenset({"person_id", "drug_concept_id", "drug_exposure_start_date"}),
    "procedure_occurrence": frozenset({"person_id", "procedure_concept_id", "procedure_date"}),
    "measurement": frozenset({"person_id", "measurement_concept_id", "measurement_date"}),
    "observation": frozenset({"person_id", "observation_concept_id", "observation_date"}),
    "visit_occurrence": frozenset({"person_id", "visit_concept_id", "visit_start_date"}),
    "visit_detail": frozenset({"person_id", "visit_detail_concept_id", "visit_detail_start_date"}),
    "device_exposure": frozenset({"person_id", "device_concept_id", "device_exposure_start_date"}),
    "specimen": frozenset({"person_id", "specimen_concept_id", "specimen_date"}),
    "note": frozenset({"person_id", "note_date", "note_type_concept_id"}),
    "note_nlp": frozenset({"note_nlp_id", "note_id"}),
    "drug_era": frozenset({"person_id", "drug_concept_id", "drug_era_start_date"}),
    "dose_era": frozenset({"person_id", "drug_concept_id", "dose_era_start_date"}),
    "condition_era": frozenset({"person_id", "condition_concept_id", "condition_era_start_date"}),
    "payer_plan_period": frozenset({"person_id", "payer_plan_period_start_date"}),
    "episode": frozenset({"episode_id", "person_id", "episode_concept_id"}),
    "episode_event": frozenset({"episode_id", "event_id"}),
    "concept": frozenset({"concept_id", "concept_name", "domain_id", "vocabulary_id"}),
    "concept_ancestor": frozenset({"ancestor_concept_id", "descendant_concept_id"}),
    "concept_relationship": frozenset({"concept_id_1", "concept_id_2", "relationship_id"}),
    "concept_synonym": frozenset({"concept_id", "concept_synonym_name"}),
    "concept_class": frozenset({"concept_class_id", "concept_class_name"}),
    "vocabulary": frozenset({"vocabulary_id", "vocabulary_name"}),
    "domain": frozenset({"domain_id", "domain_name"}),
    "relationship": frozenset({"relationship_id", "relationship_name"}),
    "drug_strength": frozenset({"drug_concept_id", "ingredient_concept_id"}),
    "source_to_concept_map": frozenset({"source_code", "source_concept_id", "target_concept_id"}),
    "cdm_source": frozenset({"cdm_source_name", "cdm_version"}),
    "location": frozenset({"location_id", "location_source_value"}),
    "care_site": frozenset({"care_site_id", "care_site_name"}),
    "provider": frozenset({"provider_id", "specialty_concept_id"}),
    "cost": frozenset({"cost_id", "cost_event_id"}),
    "metadata": frozenset({"metadata_concept_id", "metadata_type_concept_id"}),
    "fact_relationship": frozenset({"domain_concept_id_1", "fact_id_1"}),
}
"""Columns that no other table has together."""


def table_of(names: frozenset[str]) -> str | None:
    """Which table has columns of these names in lower case: the one of whose marks all are there, most marks first."""
    fitting = [table for table, marks in TABLES.items() if marks <= names]
    return max(fitting, key=lambda table: len(TABLES[table]), default=None)


_EVENT = ("{0}_id", "person_id", "{1}_concept_id", "{1}_start_date", "{1}_start_datetime", "{1}_end_date",
          "{1}_end_datetime", "{1}_type_concept_id")  # fmt: skip
_WHERE = ("provider_id", "visit_occurrence_id", "visit_detail_id")


def _event(table: str, stem: str, *more: str) -> tuple[str, ...]:
    return (*(name.format(table, stem) for name in _EVENT), *more)


COLUMNS: dict[str, tuple[str, ...]] = {
    "person": (
        "person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
        "race_concept_id", "ethnicity_concept_id", "location_id", "provider_id", "care_site_id", "person_source_value",
        "gender_source_value", "race_source_value", "ethnicity_source_value",
    ),
    "observation_period": (
        "observation_period_id", "person_id", "observation_period_start_date", "observation_period_end_date",
        "period_type_concept_id",
    ),
    "death": ("person_id", "death_date", "death_datetime", "death_type_concept_id", "cause_concept_id",
              "cause_source_value", "cause_source_concept_id"),
    "cohort": ("cohort_definition_id", "subject_id", "cohort_start_date", "cohort_end_date"),
    "cohort_definition": ("cohort_definition_id", "cohort_definition_name", "cohort_definition_description"),
    "condition_occurrence": _event(
        "condition_occurrence", "condition", "condition_status_concept_id", "stop_reason", *_WHERE,
        "condition_source_value", "condition_source_concept_id",
    ),
    "drug_exposure": _event(
        "drug_exposure", "drug_exposure", "drug_concept_id", "drug_type_concept_id", "verbatim_end_date", "stop_reason",
        "refills", "quantity", "days_supply", "route_concept_id", "lot_number", *_WHERE, "drug_source_value",
        "drug_source_concept_id",
    ),
    "procedure_occurrence": (
        "procedure_occurrence_id", "person_id", "procedure_concept_id", "procedure_date", "procedure_datetime",
        "procedure_end_date", "procedure_type_concept_id", "modifier_concept_id", "quantity", *_WHERE,
        "procedure_source_value", "procedure_source_concept_id",
    ),
    "measurement": (
        "measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_datetime",
        "measurement_type_concept_id", "operator_concept_id", "value_as_number", "value_as_concept_id",
        "unit_concept_id", "range_low", "range_high", *_WHERE, "measurement_source_value",
        "measurement_source_concept_id", "unit_source_value", "value_source_value",
    ),
    "observation": (
        "observation_id", "person_id", "observation_concept_id", "observation_date", "observation_datetime",
        "observation_type_concept_id", "value_as_number", "value_as_string", "value_as_concept_id",
        "qualifier_concept_id", "unit_concept_id", *_WHERE, "observation_source_value",
        "observation_source_concept_id",
    ),
    "visit_occurrence": _event(
        "visit_occurrence", "visit", "provider_id", "care_site_id", "visit_source_value", "visit_source_concept_id",
        "admitted_from_concept_id", "discharged_to_concept_id", "preceding_visit_occurrence_id",
    ),
    "visit_detail": _event(
        "visit_detail", "visit_detail", "provider_id", "care_site_id", "visit_occurrence_id",
        "visit_detail_source_concept_id", "admitted_from_concept_id", "discharged_to_concept_id",
    ),
    "device_exposure": _event(
        "device_exposure", "device_exposure", "device_concept_id", "device_type_concept_id", "unique_device_id",
        "quantity", *_WHERE, "device_source_value", "device_source_concept_id",
    ),
    "specimen": (
        "specimen_id", "person_id", "specimen_concept_id", "specimen_type_concept_id", "specimen_date",
        "specimen_datetime", "quantity", "unit_concept_id", "anatomic_site_concept_id", "disease_status_concept_id",
        "specimen_source_id",
    ),
    "condition_era": ("condition_era_id", "person_id", "condition_concept_id", "condition_era_start_date",
                      "condition_era_end_date", "condition_occurrence_count"),
    "drug_era": ("drug_era_id", "person_id", "drug_concept_id", "drug_era_start_date", "drug_era_end_date",
                 "drug_exposure_count", "gap_days"),
    "dose_era": ("dose_era_id", "person_id", "drug_concept_id", "unit_concept_id", "dose_value", "dose_era_start_date",
                 "dose_era_end_date"),
    "payer_plan_period": (
        "payer_plan_period_id", "person_id", "payer_plan_period_start_date", "payer_plan_period_end_date",
        "payer_concept_id", "payer_source_concept_id", "plan_concept_id", "plan_source_concept_id",
        "sponsor_concept_id", "sponsor_source_concept_id", "stop_reason_concept_id", "stop_reason_source_concept_id",
    ),
    "concept": ("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id", "standard_concept",
                "concept_code", "valid_start_date", "valid_end_date", "invalid_reason"),
    "concept_ancestor": ("ancestor_concept_id", "descendant_concept_id", "min_levels_of_separation",
                         "max_levels_of_separation"),
    "concept_relationship": ("concept_id_1", "concept_id_2", "relationship_id", "valid_start_date", "valid_end_date",
                             "invalid_reason"),
    "location": ("location_id", "address_1", "city", "state", "zip", "county", "location_source_value",
                 "country_concept_id", "region_concept_id"),
    "care_site": ("care_site_id", "care_site_name", "place_of_service_concept_id", "location_id",
                  "care_site_source_value"),
    "provider": ("provider_id", "provider_name", "specialty_concept_id", "care_site_id", "year_of_birth",
                 "gender_concept_id"),
}  # fmt: skip
"""Columns of release 5.4, of the tables that cohorts are defined by."""
