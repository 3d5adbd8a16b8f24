{#- What `from` reads for an input: a model, a source or, on DuckDB, files. -#}
{% macro input_relation(input_name) -%}
    {%- set declared = customer_value.declared_input(input_name) -%}
    {%- if declared.get('model') -%}
        {{ ref(declared['model']) }}
    {%- elif declared.get('source') -%}
        {{ source(declared['source'][0], declared['source'][1]) }}
    {%- else -%}
        {{ adapter.dispatch('input_files', 'customer_value')(input_name, declared) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__input_files(input_name, declared) -%}
    {{ exceptions.raise_compiler_error(
        "The var inputs gives the path " ~ declared['path'] ~ ", but only DuckDB reads files. Load it into a table, and name that as model: or source: instead."
    ) }}
{%- endmacro %}

{#- Of text files every row is looked at before a column is taken for numbers or times, so that one
    value that is neither is one rejected row; and keys are text, or 1.10 and 1.1 would be one. -#}
{% macro duckdb__input_files(input_name, declared) -%}
    {%- set path = "'" ~ (declared['path'] | replace("'", "''")) ~ "'" -%}
    {%- if not modules.re.search('[.](csv|tsv|txt)([.](gz|zst))?$', declared['path'] | lower) -%}
        {{ path }}
    {%- else -%}
        {%- set keys = [] -%}
        {%- for column_name in ['order_id', 'customer_id'] -%}
            {%- set expression = customer_value.input_column(input_name, column_name) | trim -%}
            {%- if modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', expression) -%}
                {%- do keys.append("'" ~ expression ~ "': 'varchar'") -%}
            {%- endif -%}
        {%- endfor -%}
        read_csv({{ path }}, sample_size = -1, types = { {{- keys | join(', ') -}} })
    {%- endif -%}
{%- endmacro %}

{#- What the var inputs says of an input. Models call this while dbt still parses, before any
    hook can speak, so what makes it unreadable is said here. -#}
{% macro declared_input(input_name) -%}
    {%- set inputs = var('inputs') -%}
    {%- set declared = inputs.get(input_name) if inputs is mapping else none -%}
    {%- set places = [] -%}
    {%- for place in ['model', 'source', 'path'] if declared is mapping and declared.get(place) -%}
        {%- do places.append(place) -%}
    {%- endfor -%}
    {%- if places | length != 1 -%}
        {{ exceptions.raise_compiler_error(
            "The var inputs says of " ~ input_name ~ ": " ~ (declared | tojson if declared else "nothing")
            ~ ". It takes exactly one of model: <name>, source: [<source>, <table>] or path: <file or glob>, for example "
            ~ "inputs: {" ~ input_name ~ ": {path: data/" ~ input_name ~ "/*.parquet, columns: {order_id: invoice_no}}}."
        ) }}
    {%- endif -%}
    {%- if declared.get('source') and (declared['source'] is string or declared['source'] | length != 2) -%}
        {{ exceptions.raise_compiler_error(
            "The var inputs gives " ~ input_name ~ " the source " ~ (declared['source'] | tojson)
            ~ ". It takes two names: source: [<source>, <table>]."
        ) }}
    {%- endif -%}
    {{ return(declared) }}
{%- endmacro %}
