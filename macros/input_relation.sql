{#- What `from` reads for one declaration of an input: a model, a source, on DuckDB a table or
    files; and nothing, of no row, for an input that is not given. -#}
{% macro input_relation(input_name, declared) -%}
    {%- if not declared -%}
        (select 1 as nothing where 1 = 0)
    {%- elif declared.get('model') is string -%}
        {{ ref(declared['model']) }}
    {%- elif declared.get('model') -%}
        {{ ref(declared['model'][0], declared['model'][1]) }}
    {%- elif declared.get('source') -%}
        {{ source(declared['source'][0], declared['source'][1]) }}
    {%- elif declared.get('table') -%}
        {{ declared['table'] }}
    {%- else -%}
        {{ adapter.dispatch('input_files', 'customer_value')(input_name, declared) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__input_files(input_name, declared) -%}
    {{ exceptions.raise_compiler_error(
        "The var inputs gives the path " ~ declared['path'] ~ ", but only DuckDB reads files. Load it into a table, and name that as model:, source: or table: instead."
    ) }}
{%- endmacro %}

{#- Of text files every row is looked at before a column is taken for numbers or times, so that one
    value that is neither is one rejected row; and keys and texts are read as they are written, or
    1.10 and 1.1 would be one key, and a group of yes and no one of true and false.
    The offset keeps casts out of the reader: DuckDB 2.0 stops there at a value that try_cast takes. -#}
{% macro duckdb__input_files(input_name, declared) -%}
    {%- set path = "'" ~ (declared['path'] | replace("'", "''")) ~ "'" -%}
    {%- if modules.re.search('[.](json|jsonl|ndjson)([.](gz|zst))?$', declared['path'] | lower) -%}
        (select * from read_json({{ path }}, sample_size = -1) offset 0)
    {%- elif not modules.re.search('[.](csv|tsv|txt)([.](gz|zst))?$', declared['path'] | lower) -%}
        {{ path }}
    {%- else -%}
        {%- set contract = customer_value.input_contract()[input_name] -%}
        {%- set as_written = [] -%}
        {%- for kinds in contract.values() -%}
            {%- for column_name, kind in kinds.items() if kind in ('key', 'text') -%}
                {%- set expression = customer_value.input_column(input_name, declared, column_name) | trim -%}
                {%- if modules.re.match('^([A-Za-z_][A-Za-z0-9_]*|"[^"]+")$', expression) -%}
                    {%- do as_written.append("'" ~ (expression | replace('"', '') | replace("'", "''")) ~ "': 'varchar'") -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        (select * from read_csv({{ path }}, sample_size = -1, types = { {{- as_written | unique | join(', ') -}} }) offset 0)
    {%- endif -%}
{%- endmacro %}

{#- What the var inputs says of an input: its declarations, one for each shop that is fused; none
    where it is not given. Models call this while dbt still parses, before any hook can speak, so
    what makes it unreadable is said here. -#}
{% macro declared_inputs(input_name) -%}
    {%- set inputs = var('inputs') -%}
    {%- if inputs is not mapping or not (inputs.get('orders') or inputs.get('order_lines')) -%}
        {{ exceptions.raise_compiler_error(
            "The var inputs is " ~ (inputs | tojson) ~ "; it takes at least orders or order_lines, for example "
            ~ "inputs: {orders: {path: data/orders/*.parquet, columns: {order_id: invoice_no}}}."
        ) }}
    {%- endif -%}
    {%- set given = inputs.get(input_name) -%}
    {%- if not given -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set declarations = [given] if given is mapping or given is string or given is not sequence else given -%}
    {%- for declared in declarations -%}
        {%- set places = [] -%}
        {%- for place in ['model', 'source', 'table', 'path'] if declared is mapping and declared.get(place) -%}
            {%- do places.append(place) -%}
        {%- endfor -%}
        {%- if places | length != 1 -%}
            {{ exceptions.raise_compiler_error(
                "The var inputs says of " ~ input_name ~ ": " ~ (declared | tojson)
                ~ ". It takes exactly one of model: <name>, source: [<source>, <table>], table: <name> or path: <file or glob>, for example "
                ~ "inputs: {" ~ input_name ~ ": {path: data/" ~ input_name ~ "/*.parquet}}; or a list of such, one for each shop."
            ) }}
        {%- endif -%}
        {%- if declared.get('source') and (declared['source'] is string or declared['source'] | length != 2) -%}
            {{ exceptions.raise_compiler_error(
                "The var inputs gives " ~ input_name ~ " the source " ~ (declared['source'] | tojson)
                ~ ". It takes two names: source: [<source>, <table>]."
            ) }}
        {%- endif -%}
        {%- if declared.get('columns') and declared['columns'] is not mapping -%}
            {{ exceptions.raise_compiler_error(
                "The var inputs gives " ~ input_name ~ " the columns " ~ (declared['columns'] | tojson)
                ~ ". It takes our names with an SQL expression for each: columns: {order_id: invoice_no}."
            ) }}
        {%- endif -%}
        {%- if not modules.re.match('^[A-Za-z0-9_+/-]+$', declared.get('time_zone') or 'UTC') -%}
            {{ exceptions.raise_compiler_error(
                "The var inputs gives " ~ input_name ~ " the time_zone " ~ (declared['time_zone'] | tojson)
                ~ ". It takes the name of a zone, such as Europe/Berlin."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(declarations) }}
{%- endmacro %}
