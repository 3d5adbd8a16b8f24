{#- A boolean that stops the query with a sentence as soon as a row asks for it. -#}
{% macro stop_with(sentence) -%}
    {{ return(adapter.dispatch('stop_with', 'customer_value')(sentence)) }}
{%- endmacro %}

{% macro default__stop_with(sentence) -%}
    assert_true(false, '{{ sentence | replace("'", "''") }}') is null
{%- endmacro %}

{% macro duckdb__stop_with(sentence) -%}
    cast(error('{{ sentence | replace("'", "''") }}') as boolean)
{%- endmacro %}
