{#- A boolean that stops the query with a sentence as soon as a row asks for it. -#}
{% macro stop_with(sentence) -%}
    {{ return(adapter.dispatch('stop_with', 'customer_value')(sentence)) }}
{%- endmacro %}

{% macro spark__stop_with(sentence) -%}
    assert_true(false, '{{ sentence | replace("'", "''") }}') is null
{%- endmacro %}

{% macro default__stop_with(sentence) -%}
    cast(error('{{ sentence | replace("'", "''") }}') as boolean)
{%- endmacro %}

{#- The same with a sentence that an SQL expression gives, where it has to name what it found. -#}
{% macro stop_with_text(expression) -%}
    {{ return(adapter.dispatch('stop_with_text', 'customer_value')(expression)) }}
{%- endmacro %}

{% macro spark__stop_with_text(expression) -%}
    raise_error({{ expression }}) is null
{%- endmacro %}

{% macro default__stop_with_text(expression) -%}
    cast(error({{ expression }}) as boolean)
{%- endmacro %}
