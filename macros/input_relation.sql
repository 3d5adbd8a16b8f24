{#- What `from` reads for an input: a model, a source or, on DuckDB, files. -#}
{% macro input_relation(input_name) -%}
    {%- set declared = var('inputs')[input_name] -%}
    {%- if declared.get('model') -%}
        {{ ref(declared['model']) }}
    {%- elif declared.get('source') -%}
        {{ source(declared['source'][0], declared['source'][1]) }}
    {%- else -%}
        {{ adapter.dispatch('input_files', 'customer_value')(declared['path']) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__input_files(path) -%}
    {{ exceptions.raise_compiler_error(
        "The var inputs gives a path, which only DuckDB reads. Load the file into a table and give its model or source instead of path: " ~ path
    ) }}
{%- endmacro %}

{% macro duckdb__input_files(path) -%}
    '{{ path | replace("'", "''") }}'
{%- endmacro %}
