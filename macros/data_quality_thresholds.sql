{#- From where on data_quality warns of a metric, and from where on it fails: the pair that the var
    data_quality_thresholds gives it, else ours. What is nearest counts, as a whole: the pair for the
    input and column, for the input, for all inputs, and so for our own. An empty pair is none.

    Ours stand here and not in the var, since who gives a var replaces all of it.

    Returns, for the subject none (whatever has no pair of its own) or a column, warn and error. -#}
{% macro data_quality_thresholds(input_name, metric) -%}
    {%- set given = var('data_quality_thresholds') or {} -%}
    {%- set defaults = customer_value._default_data_quality_thresholds() -%}
    {%- set nearest = namespace(pairs=none) -%}
    {%- for thresholds in [given.get(input_name) or {}, given, defaults.get(input_name) or {}, defaults]
        if nearest.pairs is none and metric in thresholds -%}
        {%- set nearest.pairs = thresholds[metric] or {} -%}
    {%- endfor -%}
    {%- set pairs = nearest.pairs or {} -%}
    {%- if not customer_value._is_by_column(pairs) -%}
        {{ return({none: pairs}) }}
    {%- endif -%}
    {#- Columns that are not named keep what holds for all inputs. -#}
    {%- set others = given.get(metric, defaults.get(metric)) or {} -%}
    {%- set by_subject = {none: {} if customer_value._is_by_column(others) else others} -%}
    {%- for column_name, pair in pairs.items() -%}
        {%- do by_subject.update({column_name: pair or {}}) -%}
    {%- endfor -%}
    {{ return(by_subject) }}
{%- endmacro %}

{#- Real shops are above the first of each pair now and then; a mapping that reads the wrong column,
    or a file that came in another format, is above the second. DECISIONS.md tells more. -#}
{% macro _default_data_quality_thresholds() -%}
    {%- set of_days = {'freshness_days': {'warn': 7, 'error': 90}} -%}
    {{ return({
        'rejected_rate': {'warn': 0.05, 'error': 0.5},
        'duplicate_rate': {'warn': 0.05, 'error': 0.5},
        'null_rate': {'warn': 0.999},
        'amount_out_of_range_rate': {'warn': 0.01, 'error': 0.2},
        'outlier_rate': {'warn': 0.02},
        'revenue_without_customer_rate': {'warn': 0.05, 'error': 0.5},
        'orders': of_days,
        'order_lines': of_days,
    }) }}
{%- endmacro %}

{#- The metrics that take thresholds, each with the most that it can come to. -#}
{% macro _data_quality_metrics() -%}
    {{ return({
        'rejected_rate': 1, 'duplicate_rate': 1, 'null_rate': 1, 'amount_out_of_range_rate': 1,
        'outlier_rate': 1, 'revenue_without_customer_rate': 1, 'freshness_days': 36500,
    }) }}
{%- endmacro %}

{#- Whether thresholds are given column by column, {channel: {warn: 0.1}}, and not as one pair. -#}
{% macro _is_by_column(thresholds) -%}
    {{ return(thresholds is mapping and (thresholds.values() | select('mapping') | list | length) > 0) }}
{%- endmacro %}

{#- What is wrong with the var data_quality_thresholds. -#}
{% macro _data_quality_thresholds_problems() -%}
    {%- set given = var('data_quality_thresholds') -%}
    {%- set metrics = customer_value._data_quality_metrics() -%}
    {%- set contract = customer_value.input_contract() -%}
    {%- set example = "; it takes, for example, {rejected_rate: {warn: 0.05, error: 0.5}, orders: {null_rate: {channel: {warn: 0.1}}}}." -%}
    {%- if given is none -%}
        {{ return([]) }}
    {%- elif given is not mapping -%}
        {{ return(["data_quality_thresholds is " ~ (given | tojson) ~ example]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- set pairs = [] -%}
    {%- for name, thresholds in given.items() -%}
        {%- if name in metrics -%}
            {%- do pairs.append((name, name, thresholds)) -%}
        {%- elif name not in contract -%}
            {%- do problems.append(
                "data_quality_thresholds names " ~ name ~ ", which is neither a metric nor an input; it takes the metrics "
                ~ metrics | join(', ') ~ ", and the inputs " ~ contract | join(', ') ~ "."
            ) -%}
        {%- elif thresholds is not mapping -%}
            {%- do problems.append("data_quality_thresholds gives " ~ name ~ " " ~ (thresholds | tojson) ~ example) -%}
        {%- else -%}
            {%- for metric, of_metric in thresholds.items() -%}
                {%- if metric not in metrics -%}
                    {%- do problems.append(
                        "data_quality_thresholds gives " ~ name ~ " the metric " ~ metric ~ ", which takes no threshold; there are " ~ metrics | join(', ') ~ "."
                    ) -%}
                {%- elif not customer_value._is_by_column(of_metric) -%}
                    {%- do pairs.append((name ~ "." ~ metric, metric, of_metric)) -%}
                {%- elif metric not in ['null_rate', 'amount_out_of_range_rate'] -%}
                    {%- do problems.append(
                        "data_quality_thresholds gives " ~ name ~ "." ~ metric ~ " " ~ (of_metric | tojson)
                        ~ "; it is one figure and takes one pair, such as {warn: 0.05, error: 0.5}."
                    ) -%}
                {%- else -%}
                    {%- for column_name, of_column in of_metric.items() -%}
                        {%- if column_name in customer_value.input_column_names(name) -%}
                            {%- do pairs.append((name ~ "." ~ metric ~ "." ~ column_name, metric, of_column)) -%}
                        {%- else -%}
                            {%- do problems.append(
                                "data_quality_thresholds names the column " ~ column_name ~ " of " ~ name ~ ", which is not one of ours; there are "
                                ~ customer_value.input_column_names(name) | join(', ') ~ "."
                            ) -%}
                        {%- endif -%}
                    {%- endfor -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for place, metric, pair in pairs if pair is not none -%}
        {%- do problems.extend(customer_value._threshold_pair_problems(place, pair, metrics[metric])) -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro _threshold_pair_problems(place, pair, highest) -%}
    {%- if pair is not mapping or pair | reject('in', ['warn', 'error']) | list -%}
        {{ return([
            "data_quality_thresholds gives " ~ place ~ " " ~ (pair | tojson) ~ "; it takes warn, error or both, such as {warn: 0.05, error: 0.5}, or {} for none."
        ]) }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for level, threshold in pair.items() if threshold is not none -%}
        {%- if threshold is not number or threshold is boolean or not 0 <= threshold <= highest -%}
            {%- do problems.append(
                "data_quality_thresholds gives " ~ place ~ " the " ~ level ~ " " ~ (threshold | tojson) ~ "; it takes a number from 0 to " ~ highest ~ "."
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not problems and pair.get('warn') is not none and pair.get('error') is not none and pair['warn'] > pair['error'] -%}
        {%- do problems.append(
            "data_quality_thresholds gives " ~ place ~ " the warn " ~ pair['warn'] ~ " above the error " ~ pair['error'] ~ "; it warns first, and fails further on."
        ) -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}
