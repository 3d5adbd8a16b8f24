-- No look into the future: every window that a model learnt from had ended by its date.
select
    model_version,
    training_to_date,
    trained_as_of_date
from {{ ref('model_registry') }}
where training_to_date > trained_as_of_date
