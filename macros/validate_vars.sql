{#- Stops a run before its first model if a var can't be meant as it stands, with one sentence
    for each that says which var, what it got and what it takes. Called by on-run-start. -#}
{% macro validate_vars() -%}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- do problems.extend(customer_value._misspelt_vars()) -%}

    {%- for name, kind, lowest, highest, unit in [
        ('churn_window_days', 'whole', 7, 3650, 'days'),
        ('horizon_periods', 'whole', 1, 120, 'periods'),
        ('annual_discount_rate', 'number', 0, 10, 'per year (0.1 is 10%)'),
        ('gross_margin_rate', 'number', 0, 1, 'of the net amount (0.4 is 40%)'),
        ('service_cost_per_period', 'number', 0, 1000000000, 'of your currency per customer and period'),
        ('max_training_rows', 'whole', 1000, 10000000, 'rows'),
        ('random_seed', 'whole', 0, 2147483647, ''),
        ('interval_level', 'number', 0.5, 0.99, '(0.8 is 80% of customers)'),
        ('exchange_rate_max_age_days', 'whole', 0, 366, 'days'),
        ('outlier_fences', 'number', 0.5, 20, 'distances between the quartiles'),
        ('fairness_minimum_customers', 'whole', 10, 1000000, 'customers'),
        ('prediction_history_daily_days', 'whole', 1, 3660, 'days'),
        ('prediction_history_max_days', 'whole', 31, 36600, 'days'),
        ('backtest_origins', 'whole', 2, 9, 'past dates'),
        ('campaign_window_days', 'whole', 1, 365, 'days'),
        ('long_term_weight', 'number', 0, 1, '(1 is lifetime value alone)'),
        ('action_window_days', 'whole', 7, 365, 'days'),
        ('action_holdout_share', 'number', 0, 0.5, 'of customers (0.1 is 10%)'),
        ('recommendation_window_days', 'whole', 7, 365, 'days'),
    ] -%}
        {%- set value = var(name) -%}
        {%- set fits = (value is integer) if kind == 'whole' else (value is number and value is not boolean) -%}
        {%- if not fits or not lowest <= value <= highest -%}
            {%- do problems.append(
                name ~ " is " ~ (value | tojson) ~ "; it takes a " ~ ("whole " if kind == 'whole' else "")
                ~ "number from " ~ lowest ~ " to " ~ highest ~ (" " ~ unit if unit) ~ "."
            ) -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set lookback_days = var('lookback_days') -%}
    {%- if lookback_days is not none and not (lookback_days is integer and lookback_days is not boolean and 1 <= lookback_days <= 36600) -%}
        {%- do problems.append("lookback_days is " ~ (lookback_days | tojson) ~ "; it takes a whole number from 1 to 36600 days, or null to compare every order.") -%}
    {%- endif -%}
    {%- set action_budget = var('action_budget') -%}
    {%- if action_budget is not none and not (action_budget is number and action_budget is not boolean and 0 <= action_budget <= 1000000000000) -%}
        {%- do problems.append("action_budget is " ~ (action_budget | tojson) ~ "; it takes a number from 0 to 1000000000000 of your currency, or null for no limit.") -%}
    {%- endif -%}
    {%- set period = var('period') -%}
    {%- if period != 'month' and not (period is integer and 1 <= period <= 366) -%}
        {%- do problems.append('period is ' ~ (period | tojson) ~ '; it takes "month" or a whole number of days from 1 to 366.') -%}
    {%- elif var('horizon_periods') is integer and var('horizon_periods') * (30.4375 if period == 'month' else period) > 3660 -%}
        {%- do problems.append(
            "horizon_periods is " ~ var('horizon_periods') ~ " with period " ~ (period | tojson)
            ~ ", which is more than ten years; take fewer or shorter periods."
        ) -%}
    {%- endif -%}

    {%- for name in ['churn_candidates', 'spend_candidates', 'high_value_candidates'] -%}
        {%- set listed = var(name) -%}
        {%- if listed != 'all' and (listed is string or listed is mapping or listed is not iterable or not listed or listed | reject('string') | list) -%}
            {%- do problems.append(name ~ " is " ~ (listed | tojson) ~ "; it takes a list of names such as [" ~ ('gamma' if name == 'spend_candidates' else 'logistic') ~ "], or all.") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in ['champion_severity', 'interval_severity'] if var(name) not in ['warn', 'error'] -%}
        {%- do problems.append(name ~ " is " ~ (var(name) | tojson) ~ "; it takes warn or error.") -%}
    {%- endfor -%}
    {%- for name in ['winsorize_outliers', 'pseudonymize', 'tune_candidates'] if var(name) is not boolean -%}
        {%- do problems.append(name ~ " is " ~ (var(name) | tojson) ~ "; it takes true or false.") -%}
    {%- endfor -%}
    {%- if var('semantic_layer') is not none and var('semantic_layer') is not boolean -%}
        {%- do problems.append("semantic_layer is " ~ (var('semantic_layer') | tojson) ~ "; it takes true, false or null.") -%}
    {%- endif -%}
    {%- if var('reporting_currency') is not none and not modules.re.match('^[A-Z]{3}$', var('reporting_currency') | string) -%}
        {%- do problems.append("reporting_currency is " ~ (var('reporting_currency') | tojson) ~ "; it takes a code of three letters, such as EUR, or null for amounts as they are.") -%}
    {%- endif -%}
    {%- for name in ['input_time_zone', 'reporting_time_zone'] if not customer_value.is_time_zone(var(name)) -%}
        {%- do problems.append(name ~ " is " ~ (var(name) | tojson) ~ ", which is not a zone; it takes one such as Europe/Berlin, or UTC.") -%}
    {%- endfor -%}
    {%- set store_keys = var('store_keys') -%}
    {%- if store_keys is not none and (store_keys is string or store_keys is not sequence or store_keys | reject('in', ['order_id', 'customer_id', 'product_id']) | list) -%}
        {%- do problems.append("store_keys is " ~ (store_keys | tojson) ~ "; it takes a list of order_id, customer_id and product_id, or null.") -%}
    {%- endif -%}
    {%- do problems.extend(customer_value._missing_values_problems()) -%}
    {%- do problems.extend(customer_value._data_quality_thresholds_problems()) -%}
    {%- do problems.extend(customer_value._monitoring_thresholds_problems()) -%}
    {%- do problems.extend(customer_value._fairness_groups_problems()) -%}
    {%- do problems.extend(customer_value._fairness_thresholds_problems()) -%}
    {%- do problems.extend(customer_value._control_treatments_problems()) -%}
    {%- if var('prediction_history_max_days') is integer and var('churn_window_days') is integer and var('prediction_history_max_days') < var('churn_window_days') -%}
        {%- do problems.append(
            "prediction_history_max_days is " ~ var('prediction_history_max_days') ~ ", less than the churn_window_days of "
            ~ var('churn_window_days') ~ ": predictions would be gone before it is known how true they came; it takes at least as many."
        ) -%}
    {%- endif -%}
    {%- if var('pseudonymize') is true -%}
        {%- do problems.extend(customer_value.require_pseudonym_key()) -%}
    {%- endif -%}

    {%- set as_of_problem = customer_value._as_of_date_problem() -%}
    {%- if as_of_problem -%}
        {%- do problems.append(as_of_problem) -%}
    {%- endif -%}

    {%- if problems -%}
        {{ exceptions.raise_compiler_error(
            "customer_value can't run with these vars:\n  - " ~ problems | join("\n  - ")
            ~ "\nEvery var is described in the dbt_project.yml of customer_value."
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Vars that nobody reads but that look like one of ours: given on the command line, or, on
    DuckDB, in the project file, which dbt itself does not show to macros. -#}
{% macro _misspelt_vars() -%}
    {%- set known = [
        'inputs', 'as_of_date', 'churn_window_days', 'period', 'horizon_periods', 'annual_discount_rate',
        'gross_margin_rate', 'service_cost_per_period', 'max_training_rows', 'random_seed',
        'interval_level', 'run_id', 'reporting_currency', 'exchange_rate_max_age_days', 'input_time_zone',
        'reporting_time_zone', 'store_keys', 'missing_values', 'outlier_fences', 'winsorize_outliers', 'pseudonymize',
        'fairness_groups', 'fairness_minimum_customers', 'fairness_thresholds',
        'data_quality_thresholds', 'monitoring_thresholds', 'prediction_history_daily_days', 'prediction_history_max_days',
        'churn_candidates', 'spend_candidates', 'high_value_candidates', 'backtest_origins', 'champion_severity', 'interval_severity',
        'lookback_days',
        'campaign_window_days', 'control_treatments',
        'action_budget', 'long_term_weight', 'action_window_days', 'action_holdout_share',
        'recommendation_window_days',
        'tune_candidates',
        'semantic_layer',
    ] -%}
    {%- set project_vars = (customer_value._project_file().get('vars') or {}) -%}
    {%- set ours = project_vars.get('customer_value') or {} -%}
    {%- set given = [] -%}
    {#- Under our own name, or where no other package is, every var has to be ours. -#}
    {%- for name in (invocation_args_dict.get('vars') or {}) -%}
        {%- do given.append((name, project_name == 'customer_value')) -%}
    {%- endfor -%}
    {%- for name in ours -%}
        {%- do given.append((name, true)) -%}
    {%- endfor -%}
    {%- for name, value in project_vars.items() if value is not mapping or name == 'inputs' -%}
        {%- do given.append((name, false)) -%}
    {%- endfor -%}

    {%- set problems = [] -%}
    {%- for name, has_to_be_ours in given if name not in known -%}
        {%- set nearest = [] -%}
        {%- for candidate in known if customer_value._looks_like(name, candidate) -%}
            {%- do nearest.append(candidate) -%}
        {%- endfor -%}
        {%- if nearest and not has_to_be_ours and project_name != 'customer_value' -%}
            {#- In somebody else's project it may well be a var of theirs: said, not refused. -#}
            {%- do log(
                "customer_value: the var " ~ name ~ " is not ours; if it is yours, all is well, if " ~ nearest[0] ~ " was meant, write that.",
                info=true
            ) -%}
        {%- elif nearest -%}
            {%- do problems.append(name ~ " is not a var; did you mean " ~ nearest[0] ~ "?") -%}
        {%- elif has_to_be_ours -%}
            {%- do problems.append(name ~ " is not a var; there are " ~ known | join(', ') ~ ".") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{#- Two names look alike if they share nearly all of their pairs of neighbouring letters. -#}
{% macro _looks_like(name, candidate) -%}
    {%- set pairs = namespace(shared=0) -%}
    {%- for position in range(name | length - 1) if name[position:position + 2] in candidate -%}
        {%- set pairs.shared = pairs.shared + 1 -%}
    {%- endfor -%}
    {{ return(pairs.shared >= 0.65 * ([name | length, candidate | length] | max - 1)) }}
{%- endmacro %}

{% macro _project_file() -%}
    {{ return(adapter.dispatch('project_file', 'customer_value')()) }}
{%- endmacro %}

{% macro default__project_file() -%}
    {{ return({}) }}
{%- endmacro %}

{% macro duckdb__project_file() -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    {%- set files = run_query(
        "select content from read_text('" ~ (folder | replace("'", "''")) ~ "/dbt_project.yml')"
    ) -%}
    {{ return(fromyaml(files.rows[0][0]) if files.rows else {}) }}
{%- endmacro %}

{#- What is wrong with the var as_of_date, or nothing. Whether an order is before it is for
    validate_inputs to see, once it is known that the orders can be read. -#}
{% macro _as_of_date_problem() -%}
    {%- set value = var('as_of_date') -%}
    {%- if value is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set takes = "; it takes a date, YYYY-MM-DD, between 1900 and 2199, or null for the day after the last order." -%}
    {%- if not modules.re.match('^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$', value | string) -%}
        {{ return("as_of_date is " ~ (value | string | tojson) ~ takes) }}
    {%- endif -%}
    {%- set parts = (value | string).split('-') -%}
    {%- set month_days = [31, 29 if parts[0] | int % 4 == 0 and (parts[0] | int % 100 != 0 or parts[0] | int % 400 == 0) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
    {%- if not 1 <= parts[1] | int <= 12 or not 1 <= parts[2] | int <= month_days[parts[1] | int - 1] -%}
        {{ return("as_of_date is " ~ (value | string | tojson) ~ takes) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- What is wrong with the var missing_values. -#}
{% macro _missing_values_problems() -%}
    {%- set methods = {
        'orders': {
            'amount': ['reject', 'median', 'mode', 'predict'],
            'discount_amount': ['keep', 'reject', 'median', 'mode', 'predict'],
            'cost_amount': ['keep', 'reject', 'median', 'mode', 'predict'],
            'channel': ['keep', 'reject', 'mode'],
            'status': ['keep', 'reject'], 'currency': ['keep', 'reject'], 'store': ['keep', 'reject'],
        },
        'customers': {
            'acquisition_cost': ['keep', 'reject', 'median', 'mode', 'predict'],
            'acquisition_channel': ['keep', 'reject', 'mode'],
            'acquired_at': ['keep', 'reject'],
        },
    } -%}
    {%- set given = var('missing_values') -%}
    {%- set example = "; it takes, for example, {orders: {cost_amount: predict, channel: mode}}." -%}
    {%- if given is none -%}
        {{ return([]) }}
    {%- elif given is not mapping -%}
        {{ return(["missing_values is " ~ (given | tojson) ~ example]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for input_name, columns in given.items() -%}
        {%- if input_name not in methods or columns is not mapping -%}
            {%- do problems.append("missing_values gives " ~ input_name ~ " " ~ (columns | tojson) ~ "; it takes columns of " ~ methods | join(' and of ') ~ example) -%}
        {%- else -%}
            {%- for column_name, method in columns.items() if method not in methods[input_name].get(column_name, []) -%}
                {%- if column_name in methods[input_name] -%}
                    {%- do problems.append(
                        "missing_values gives " ~ input_name ~ "." ~ column_name ~ " the method " ~ (method | tojson) ~ "; it takes "
                        ~ methods[input_name][column_name] | join(', ') ~ "."
                    ) -%}
                {%- else -%}
                    {%- do problems.append(
                        "missing_values names " ~ input_name ~ "." ~ column_name ~ ", which it can't fill; it takes " ~ methods[input_name] | join(', ') ~ "."
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}
