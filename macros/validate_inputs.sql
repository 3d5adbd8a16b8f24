{#- Stops a run before its first model if an input can't be read as it is declared, with one
    sentence for each problem: which input, which column, what was found and what to write.
    Called by on-run-start. -#}
{% macro validate_inputs() -%}
    {%- set contract = customer_value.input_contract() -%}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set problems = [] -%}
    {%- for input_name in var('inputs') -%}
        {%- if input_name not in contract -%}
            {%- do problems.append(
                "inputs names " ~ input_name ~ ", which is not an input; there are " ~ contract | join(', ') ~ "."
            ) -%}
        {%- else -%}
            {%- for declared in customer_value.declared_inputs(input_name) -%}
                {%- set label = input_name ~ ("[" ~ loop.index0 ~ "]" if loop.length > 1 else "") -%}
                {%- set found = customer_value._unknown_keys(input_name, label, declared) -%}
                {%- do problems.extend(found or customer_value._unreadable_columns(input_name, label, declared)) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not customer_value.declared_inputs('orders') -%}
        {%- for declared in customer_value.declared_inputs('order_lines') -%}
            {%- for column_name in ['customer_id', 'ordered_at'] if column_name not in (declared.get('columns') or {}) -%}
                {%- do problems.append(
                    "inputs gives order_lines without orders, so orders are built from lines, which takes their " ~ column_name
                    ~ " too: write columns: {" ~ column_name ~ ": <expression over your columns>}."
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not problems -%}
        {%- do problems.extend(customer_value._inputs_that_do_not_fit()) -%}
    {%- endif -%}
    {%- if problems -%}
        {{ exceptions.raise_compiler_error(
            "customer_value can't read its inputs:\n  - " ~ problems | join("\n  - ")
        ) }}
    {%- endif -%}
{%- endmacro %}

{#- Inputs that are each well as they are, but not together: keys that some have within their store
    and others without, and amounts whose currency nobody tells. -#}
{% macro _inputs_that_do_not_fit() -%}
    {%- set problems = [] -%}
    {%- for input_name, kinds in customer_value.input_contract().items() if 'store' in kinds['optional'] -%}
        {%- for declared in customer_value.declared_inputs(input_name) -%}
            {%- for key in customer_value.store_keys() if (key in kinds['required'] or key in (declared.get('columns') or {})) and 'store' not in (declared.get('columns') or {}) -%}
                {%- do problems.append(
                    "every store has its own " ~ key ~ " (var store_keys), but " ~ input_name ~ " does not say the store: write columns: {store: <expression>}, or store_keys: [] if "
                    ~ key ~ " is the same in all stores."
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if var('reporting_currency') -%}
        {%- set base = 'orders' if customer_value.declared_inputs('orders') else 'order_lines' -%}
        {%- for declared in customer_value.declared_inputs(base) if 'currency' not in (declared.get('columns') or {}) -%}
            {%- do problems.append(
                "reporting_currency is " ~ var('reporting_currency') ~ ", but " ~ base
                ~ " does not say its currency: write columns: {currency: <expression>}, such as currency: \"'" ~ var('reporting_currency') ~ "'\" if all of it is in one."
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{#- Keys and columns that the declaration of an input has, but that nothing reads. -#}
{% macro _unknown_keys(input_name, label, declared) -%}
    {%- set columns = customer_value.input_column_names(input_name) -%}
    {%- set problems = [] -%}
    {%- for key in declared if key not in ['model', 'source', 'table', 'path', 'columns', 'time_zone'] -%}
        {%- do problems.append(
            "inputs gives " ~ label ~ " the key " ~ key ~ "; it takes model, source, table or path, and columns and time_zone."
        ) -%}
    {%- endfor -%}
    {%- for column_name in (declared.get('columns') or {}) if column_name not in columns -%}
        {%- do problems.append(
            "inputs maps the column " ~ column_name ~ " of " ~ label ~ ", which is not one of ours; there are "
            ~ columns | join(', ') ~ "."
        ) -%}
    {%- endfor -%}
    {%- if declared.get('time_zone') and not customer_value.is_time_zone(declared['time_zone']) -%}
        {%- do problems.append(
            "inputs gives " ~ label ~ " the time_zone " ~ declared['time_zone'] ~ ", which is not a zone; it takes one such as Europe/Berlin."
        ) -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{#- What of an input is not there, or is of a type that can't be read as what it should be. -#}
{% macro _unreadable_columns(input_name, label, declared) -%}
    {%- set relation = customer_value.input_as_it_stands(declared) -%}
    {%- if relation is none -%}
        {%- if declared.get('path') -%}
            {{ return(["inputs gives " ~ label ~ " the path " ~ declared['path'] ~ ", and no file is there; it takes a file or a glob, from the folder that dbt runs in."]) }}
        {%- endif -%}
        {#- A model or a seed that this very run is going to build. -#}
        {{ return([]) }}
    {%- endif -%}
    {%- set contract = customer_value.input_contract()[input_name] -%}
    {#- Files without the types that keys are read with: a key that is not there is what is looked for. -#}
    {%- set there = customer_value._types_of('*', relation) -%}
    {%- set there_lower = there | map('lower') | list -%}
    {%- set mapped = declared.get('columns') or {} -%}
    {%- set problems = [] -%}
    {%- for column_name in customer_value.input_column_names(input_name) -%}
        {%- set expression = customer_value.input_column(input_name, declared, column_name) | string | trim -%}
        {%- set is_bare = modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', expression) -%}
        {%- set is_read = column_name in mapped or column_name in contract['required'] -%}
        {%- if is_read and is_bare and expression | lower not in there_lower -%}
            {%- do problems.append(
                label ~ " has no column " ~ expression ~ (" for " ~ column_name if expression != column_name)
                ~ "; it has " ~ there | join(', ') ~ ". Write columns: {" ~ column_name ~ ": <expression over these>}."
            ) -%}
        {%- elif is_read -%}
            {%- set kind = contract['required'].get(column_name) or contract['optional'].get(column_name) -%}
            {%- set type = customer_value._types_of(
                expression ~ ' as "inputs.' ~ input_name ~ '.' ~ column_name ~ '"', relation
            ).values() | first -%}
            {%- if not customer_value._can_be(kind, type | upper) -%}
                {%- do problems.append(
                    label ~ "." ~ column_name ~ " is to be a " ~ kind ~ ", but " ~ expression ~ " is of type " ~ type
                    ~ ". Write columns: {" ~ column_name ~ ": <an expression that gives a " ~ kind ~ " or text>}"
                    ~ (", such as to_timestamp(" ~ expression ~ ")." if kind == 'time' else ".")
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{#- Text may be anything until it is read; the rest has to be of the kind already. -#}
{% macro _can_be(kind, type) -%}
    {%- if modules.re.match('^(VARCHAR|STRING|TEXT|"?NULL"?$)', type) -%}
        {{ return(true) }}
    {%- elif kind == 'time' -%}
        {{ return(modules.re.match('^(DATE$|TIMESTAMP)', type) is not none) }}
    {%- elif kind == 'number' -%}
        {{ return(modules.re.match('^(U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|DECIMAL|FLOAT|DOUBLE|REAL)', type) is not none) }}
    {%- else -%}
        {{ return(modules.re.search('(STRUCT|MAP|\\[|BLOB|LIST|ARRAY)', type) is none) }}
    {%- endif -%}
{%- endmacro %}

{#- What can be looked at of a declared input before the run, as SQL to read from: files that exist, a
    table, a relation that this run does not build anew; none where there is nothing yet. -#}
{% macro input_as_it_stands(declared) -%}
    {%- if declared.get('table') -%}
        {{ return(declared['table']) }}
    {%- elif declared.get('path') -%}
        {%- set path = "'" ~ (declared['path'] | replace("'", "''")) ~ "'" -%}
        {{ return(path if run_query("select count(*) from glob(" ~ path ~ ")").rows[0][0] > 0 else none) }}
    {%- endif -%}
    {#- Found in the graph: a ref would tie the hook to a model that may be ephemeral. -#}
    {%- set names = declared.get('source') or declared['model'] -%}
    {%- set names = [names] if names is string else names -%}
    {%- set found = [] -%}
    {%- for node in (graph.sources.values() if declared.get('source') else graph.nodes.values())
        if node.resource_type in ['model', 'seed', 'snapshot', 'source'] and node.name == names[-1]
        and (names | length == 1 or names[0] == (node.source_name if declared.get('source') else node.package_name)) -%}
        {%- do found.append(node) -%}
    {%- endfor -%}
    {#- A model that this run builds may have other columns when it is done; and what bears the name of
        an ephemeral one was left behind. -#}
    {%- if found | length != 1 or (
        found[0].resource_type == 'model'
        and (found[0].unique_id in selected_resources or found[0].config.materialized == 'ephemeral')
    ) -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(adapter.get_relation(found[0].database, found[0].schema, found[0].get('alias') or found[0].get('identifier'))) }}
{%- endmacro %}

{#- The names and types of what a select list gives. -#}
{% macro _types_of(select_list, relation) -%}
    {%- set types = {} -%}
    {%- for row in run_query("describe select " ~ select_list ~ " from " ~ relation).rows -%}
        {%- do types.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}

{#- Whether the engine knows a time zone of that name; where it can't be asked, it is believed. -#}
{% macro is_time_zone(name) -%}
    {{ return(adapter.dispatch('is_time_zone', 'customer_value')(name)) }}
{%- endmacro %}

{% macro default__is_time_zone(name) -%}
    {{ return(true) }}
{%- endmacro %}

{% macro duckdb__is_time_zone(name) -%}
    {{ return(run_query("select count(*) from pg_timezone_names() where name = '" ~ (name | string | replace("'", "''")) ~ "'").rows[0][0] > 0) }}
{%- endmacro %}
