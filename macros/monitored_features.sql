{#- The features that feature_drift compares: all that a model reads, but log_tenure. How long ago
    customers first ordered grows with every night, drift or none; it is what the others are
    compared by instead. A test holds the list to what the models read. -#}
{% macro monitored_features() -%}
    {{ return([
        'log_purchases', 'single_purchase_indicator', 'log_recency', 'log_purchase_rate', 'log_silence',
        'log_long_silence', 'gap_variation', 'lateness', 'log_purchases_last_30_days',
        'log_fading_purchases_30', 'log_fading_purchases_90', 'log_pace_trend', 'log_amount',
        'log_last_amount', 'log_recent_amount', 'log_typical_amount', 'log_largest_amount',
    ]) }}
{%- endmacro %}

{#- The predictions that prediction_drift and prediction_history are of. -#}
{% macro monitored_predictions() -%}
    {{ return(['churn_probability', 'predicted_net_amount']) }}
{%- endmacro %}

{#- The same as the models say them of one customer, before amounts are levelled: the level is of
    future periods, so training examples have none to be compared with. -#}
{% macro monitored_scores() -%}
    {{ return(['churn_probability', 'customer_model_net_amount']) }}
{%- endmacro %}

{#- Customers that monitoring looks at: drawn by a hash, so that it costs the same whatever the
    shop's size, and finds shares to a fifth of a percent. -#}
{% macro monitored_customer_limit() -%} 100000 {%- endmacro %}
