{#- The objects of a JSON array as rows.

    relation, json_column: where the JSON text stands; key: the array's key in it, none if the
    text is the array itself; columns: name -> type of each object's fields;
    carried: columns of the relation to repeat beside them. -#}
{% macro json_rows(relation, json_column, key, columns, carried=[]) -%}
    {{ return(adapter.dispatch('json_rows', 'customer_value')(relation, json_column, key, columns, carried)) }}
{%- endmacro %}

{% macro default__json_rows(relation, json_column, key, columns, carried) -%}
    {%- set path = '$.' ~ key if key else '$' -%}
    {%- set fields = [] -%}
    {%- for name, type in columns.items() -%}
        {%- do fields.append('"' ~ name ~ '": "' ~ type ~ '"') -%}
    {%- endfor -%}
    select
        {% for name in carried -%} {{ relation }}.{{ name }}, {% endfor -%}
        {% for name in columns -%} objects.object.{{ name }} as {{ name }} {{- ', ' if not loop.last }} {% endfor %}
    from {{ relation }}
    cross join unnest(
        from_json(json_extract({{ json_column }}, '{{ path }}'), '[{ {{- fields | join(", ") -}} }]')
    ) as objects (object)
{%- endmacro %}

{#- Spark reads the types from a text that no translation reaches, so they bear its own names here. -#}
{% macro spark__json_rows(relation, json_column, key, columns, carried) -%}
    {%- set path = '$.' ~ key if key else '$' -%}
    {%- set fields = [] -%}
    {%- for name, type in columns.items() -%}
        {%- do fields.append(name ~ ': ' ~ (type | lower | replace('varchar', 'string') | replace('timestamp', 'timestamp_ntz'))) -%}
    {%- endfor -%}
    select
        {% for name in carried -%} {{ relation }}.{{ name }}, {% endfor -%}
        {% for name in columns -%} objects.object.{{ name }} as {{ name }} {{- ', ' if not loop.last }} {% endfor %}
    from {{ relation }}
    cross join lateral explode(
        from_json(get_json_object({{ json_column }}, '{{ path }}'), 'array<struct<{{ fields | join(", ") }}>>')
    ) as objects (object)
{%- endmacro %}
