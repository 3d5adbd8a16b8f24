{#- Stops a run that scores but does not train where nothing has been trained yet, with a sentence.
    Called by on-run-start: inside a Python model it would come with a stack trace. -#}
{% macro require_trained_models() -%}
    {%- set held_out = ref('held_out_scoring') -%}
    {%- set registry = ref('model_registry') -%}
    {%- set profile = ref('int_customer_value__training_profile') -%}
    {%- set past_forecasts = ref('revenue_backtesting') -%}
    {%- if execute -%}
        {%- set scores = [] -%}
        {%- for node in ['churn_scoring', 'spend_scoring'] if 'model.customer_value.' ~ node in selected_resources -%}
            {%- do scores.append(node) -%}
        {%- endfor -%}
        {%- if scores and 'model.customer_value.model_registry' not in selected_resources and load_relation(registry) is none -%}
            {{ exceptions.raise_compiler_error(
                scores | join(' and ') ~ " can't run: " ~ registry
                ~ " does not exist, so no model has been trained yet. Run dbt build --selector train first; in a project of your own, which has not that selector, dbt build --select +model_registry."
            ) }}
        {%- endif -%}
        {%- if 'model.customer_value.revenue_forecasting' in selected_resources
            and 'model.customer_value.revenue_backtesting' not in selected_resources and load_relation(past_forecasts) is none -%}
            {{ exceptions.raise_compiler_error(
                "revenue_forecasting can't tell how forecasts came out: " ~ past_forecasts
                ~ " does not exist, which training leaves behind. Run dbt build --selector train first; in a project of your own, which has not that selector, dbt build --select +revenue_forecast_backtest."
            ) }}
        {%- endif -%}
        {%- if 'model.customer_value.int_customer_value__distribution_shifts' in selected_resources
            and 'model.customer_value.int_customer_value__training_profile' not in selected_resources and load_relation(profile) is none -%}
            {{ exceptions.raise_compiler_error(
                "feature_drift and prediction_drift can't be compared with the training examples: " ~ profile
                ~ " does not exist, which training leaves behind. Run dbt build --selector train first; in a project of your own, which has not that selector, dbt build --select +int_customer_value__training_profile."
            ) }}
        {%- endif -%}
        {%- if 'model.customer_value.int_customer_value__fairness_cases' in selected_resources
            and 'model.customer_value.held_out_scoring' not in selected_resources and load_relation(held_out) is none -%}
            {{ exceptions.raise_compiler_error(
                "model_fairness can't be told: " ~ held_out
                ~ " does not exist, which training leaves behind. Run dbt build --selector train first; in a project of your own, which has not that selector, dbt build --select +held_out_scoring."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
