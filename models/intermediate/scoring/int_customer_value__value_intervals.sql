with spend_scoring_model as (

    select parameters
    from {{ ref('model_registry') }}
    where model_name = 'spend'
    order by registration_number desc
    limit 1

)

{{ customer_value.json_rows(
    'spend_scoring_model', 'parameters', 'interval_bands',
    {'order_probability_from': 'double', 'order_probability_to': 'double', 'lower_ratio': 'double', 'upper_ratio': 'double'}
) }}
