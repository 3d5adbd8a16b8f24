{#- A query that a macro runs itself, in the adapter's dialect. Models need no such thing: they are
    translated when dbt has compiled them, by the plugin dbt_customer_value. -#}
{% macro in_own_words(query) -%}
    {{ return(adapter.dispatch('in_own_words', 'customer_value')(query)) }}
{%- endmacro %}

{% macro default__in_own_words(query) -%}
    {{ return(adapter.customer_value_translated(query)) }}
{%- endmacro %}

{% macro duckdb__in_own_words(query) -%}
    {{ return(query) }}
{%- endmacro %}
