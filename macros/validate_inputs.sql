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
    {%- if not problems -%}
        {%- do problems.extend(customer_value._date_before_first_order()) -%}
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

{#- Whether every order is of the var as_of_date or later, where the input can be read already;
    int_customer_value__run looks again where it can't. -#}
{% macro _date_before_first_order() -%}
    {%- set declarations = customer_value.declared_inputs('orders') -%}
    {%- if not var('as_of_date') or declarations | length != 1 or not customer_value.input_as_it_stands(declarations[0]) -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set declared = declarations[0] -%}
    {%- set first = run_query(
        "select min(" ~ customer_value.reporting_date("ordered_at") ~ ") from (select " ~ customer_value.to_utc_timestamp(
            customer_value.input_column('orders', declared, 'ordered_at'), customer_value.input_time_zone('orders')
        ) ~ " as ordered_at from " ~ (customer_value.input_relation('orders', declared) if declared.get('path') else customer_value.input_as_it_stands(declared))
        ~ ") as orders where ordered_at >= timestamp '1900-01-01' and ordered_at < timestamp '2200-01-01'"
    ).rows[0][0] -%}
    {%- if first is not none and (first | string)[:10] >= var('as_of_date') | string -%}
        {{ return([
            "as_of_date is " ~ var('as_of_date') ~ ", but the first order is of " ~ (first | string)[:10]
            ~ "; it takes a later date, or null for the day after the last order."
        ]) }}
    {%- endif -%}
    {{ return([]) }}
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
            ~ (" A group column for fairness is named in the var too: fairness_groups: [" ~ column_name ~ "]." if input_name == 'customers')
        ) -%}
    {%- endfor -%}
    {%- if declared.get('time_zone') and not customer_value.is_time_zone(declared['time_zone']) -%}
        {%- do problems.append(
            "inputs gives " ~ label ~ " the time_zone " ~ declared['time_zone'] ~ ", which is not a zone; it takes one such as Europe/Berlin."
        ) -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}

{#- What of an input is not there, can't be read, or is of a type that can't be read as what it should be. -#}
{% macro _unreadable_columns(input_name, label, declared) -%}
    {%- set relation = customer_value.input_as_it_stands(declared) -%}
    {%- if relation is none -%}
        {%- if declared.get('path') -%}
            {{ return(["inputs gives " ~ label ~ " the path " ~ declared['path'] ~ ", and no file is there; it takes a file or a glob, from the folder that dbt runs in."]) }}
        {%- endif -%}
        {#- A model or a seed that this very run is going to build. -#}
        {{ return([]) }}
    {%- endif -%}
    {%- if not customer_value.can_run("select * from " ~ relation ~ " limit 0") -%}
        {{ return([customer_value._why_unreadable(label, declared)]) }}
    {%- endif -%}
    {%- set contract = customer_value.input_contract()[input_name] -%}
    {#- Files without the types that keys are read with: a key that is not there is what is looked for. -#}
    {%- set there = customer_value._types_of('*', relation) -%}
    {%- set there_lower = there | map('lower') | list -%}
    {%- set mapped = declared.get('columns') or {} -%}
    {%- set problems = [] -%}
    {%- set expressions = {} -%}
    {%- for column_name in customer_value.input_column_names(input_name) if column_name in mapped or column_name in contract['required'] -%}
        {%- set expression = customer_value.input_column(input_name, declared, column_name) | string | trim -%}
        {%- set is_bare = modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', expression) -%}
        {%- if is_bare and expression | lower not in there_lower -%}
            {%- do problems.append(
                label ~ " has no column " ~ expression ~ (" for " ~ column_name if expression != column_name)
                ~ "; it has " ~ there | join(', ')
                ~ (", names of the engine's own, since the file has no header or nothing in it" if modules.re.match('^column[0-9]+(,column[0-9]+)*$', there | join(',')))
                ~ ". Write columns: {" ~ column_name ~ ": <expression over these>}."
            ) -%}
        {%- elif not is_bare and not customer_value.can_run("select " ~ expression ~ "\n as expression from " ~ relation ~ " limit 0") -%}
            {%- do problems.append(
                label ~ "." ~ column_name ~ " is to be " ~ expression ~ ", which is no SQL expression over the columns that " ~ label
                ~ " has: " ~ there | join(', ') ~ ". Write columns: {" ~ column_name ~ ": <expression over these>}; a name that is no plain word stands in double quotes."
            ) -%}
        {%- else -%}
            {%- do expressions.update({column_name: expression}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do problems.extend(customer_value._names_given_twice(label, declared, there, expressions)) -%}
    {#- From here on as the models read it, unless they couldn't. -#}
    {%- if not problems and declared.get('path') -%}
        {%- set relation = customer_value.input_relation(input_name, declared) -%}
        {%- if customer_value._is_text_file(declared) and not customer_value.can_run(
            "select * from (select hash(everything) as row_hash from (select * from " ~ relation ~ ") as everything) as hashed where row_hash = 0"
        ) -%}
            {{ return([customer_value._why_unreadable(label, declared)]) }}
        {%- endif -%}
    {%- endif -%}
    {%- set select_list = [] -%}
    {%- for column_name, expression in expressions.items() -%}
        {%- do select_list.append(expression ~ '\n as "inputs.' ~ input_name ~ '.' ~ column_name ~ '"') -%}
    {%- endfor -%}
    {%- set types = customer_value._types_of(select_list | join(', '), relation) if select_list else {} -%}
    {%- for column_name, expression in expressions.items() -%}
        {%- set kind = contract['required'].get(column_name) or contract['optional'].get(column_name) -%}
        {%- set type = types['inputs.' ~ input_name ~ '.' ~ column_name] -%}
        {%- if type == 'JSON' -%}
            {%- do problems.append(
                label ~ "." ~ column_name ~ " is of type JSON: its values are of several kinds. Write columns: {" ~ column_name ~ ": \"" ~ expression
                ~ " ->> '$'\"}, which gives them as text."
            ) -%}
        {%- elif kind == 'key' and type == 'DOUBLE' and customer_value._is_text_file(declared) -%}
            {%- do problems.append(
                label ~ "." ~ column_name ~ " is of type DOUBLE, which can't tell long ids apart. Write them as text in " ~ declared['path']
                ~ ", or load it into a table with text ids and name that as table: instead."
            ) -%}
        {%- elif not customer_value._can_be(kind, type | upper) -%}
            {%- do problems.append(
                label ~ "." ~ column_name ~ " is to be a " ~ kind ~ ", but " ~ expression ~ " is of type " ~ type
                ~ ". Write columns: {" ~ column_name ~ ": <an expression that gives a " ~ kind ~ " or text>}"
                ~ (", such as to_timestamp(" ~ expression ~ ")." if kind == 'time' else ".")
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{#- Whether an input is a file in which any row may break, so that all of it has to be looked at. -#}
{% macro _is_text_file(declared) -%}
    {{ return(modules.re.search('[.](csv|tsv|txt|json|jsonl|ndjson)([.](gz|zst))?$', (declared.get('path') or '') | lower) is not none) }}
{%- endmacro %}

{#- One sentence on an input that the engine does not read; of a CSV file with the first line that is amiss. -#}
{% macro _why_unreadable(label, declared) -%}
    {%- if not declared.get('path') -%}
        {{ return("inputs gives " ~ label ~ " the table " ~ (declared.get('table') or declared.get('source') or declared['model']) ~ ", which can't be read; it takes the name of a table that is there, as it stands in a query.") }}
    {%- endif -%}
    {%- set path = "'" ~ (declared['path'] | replace("'", "''")) ~ "'" -%}
    {%- set first = [] -%}
    {%- set tolerant = "select count(*) from (select * from read_csv(" ~ path ~ ", store_rejects = true) offset 0) as lines" -%}
    {%- if modules.re.search('[.](csv|tsv|txt)([.](gz|zst))?$', declared['path'] | lower) and customer_value.can_run(tolerant) -%}
        {%- do run_query(tolerant) -%}
        {%- set rejects = "select line, error_message from reject_errors where scan_id = (select max(scan_id) from reject_scans) order by line limit 1" -%}
        {%- do first.extend(run_query(rejects).rows if customer_value.can_run(rejects) else []) -%}
    {%- endif -%}
    {{ return(
        "inputs gives " ~ label ~ " the path " ~ declared['path'] ~ ", which can't be read"
        ~ (": line " ~ first[0][0] ~ ", " ~ (first[0][1] | string).splitlines()[0] if first)
        ~ ". It takes Parquet, JSON or CSV files with a header, in UTF-8, with the same columns in every row and every file and no line beyond two million bytes; mend the file, or load it into a table and name that as table: instead."
    ) }}
{%- endmacro %}

{#- Columns that are read but that the file has twice, in whatever case: the engine renames all but
    the first (amount, amount_1), and which of them is meant only the user can say. -#}
{% macro _names_given_twice(label, declared, there, expressions) -%}
    {%- set suspects = [] -%}
    {%- for name in there if modules.re.search('_[0-9]+$', name) and declared.get('path') -%}
        {%- set original = modules.re.sub('_[0-9]+$', '', name) | lower -%}
        {%- if original in there | map('lower') | list -%}
            {%- do suspects.append(original) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set problems = [] -%}
    {%- if suspects -%}
        {%- set path = "'" ~ (declared['path'] | replace("'", "''")) ~ "'" -%}
        {%- if modules.re.search('[.](csv|tsv|txt)([.](gz|zst))?$', declared['path'] | lower) -%}
            {%- set query = "select * from read_csv(" ~ path ~ ", header = false, all_varchar = true) limit 1" -%}
            {%- set given = (run_query(query).rows | first | list) if customer_value.can_run(query) else [] -%}
        {%- else -%}
            {%- set query = "select name from parquet_schema(" ~ path ~ ") where file_name = (select min(file_name) from parquet_schema(" ~ path ~ "))" -%}
            {%- set given = run_query(query).columns[0].values() if customer_value.can_run(query) else [] -%}
        {%- endif -%}
        {%- set given = given | map('string') | map('trim') | map('lower') | list -%}
        {%- for name in suspects | unique if given.count(name) > 1 -%}
            {%- for column_name, expression in expressions.items() if modules.re.search('(^|[^a-z0-9_])' ~ modules.re.escape(name) ~ '($|[^a-z0-9_])', expression | lower) -%}
                {%- do problems.append(
                    label ~ " has several columns " ~ name ~ ", and " ~ column_name ~ " is read from one of them: give each a name of its own in " ~ declared['path'] ~ "."
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
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
    {{ return(adapter.dispatch('input_as_it_stands', 'customer_value')(declared)) }}
{%- endmacro %}

{#- Expressions over an input's columns are DuckDB's, and are translated with the models that read
    them; what is looked at before is not, so elsewhere nothing is: the engine says what is amiss. -#}
{% macro default__input_as_it_stands(declared) -%}
    {{ return(none) }}
{%- endmacro %}

{% macro duckdb__input_as_it_stands(declared) -%}
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
