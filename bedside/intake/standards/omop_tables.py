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
