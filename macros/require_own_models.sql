{#- Stops a run in somebody else's project where a ref of ours means a model of theirs that merely
    has the same name: dbt looks in the project first unless a flag tells it otherwise. What they
    put in place of a model that they disabled is meant. -#}
{% macro require_own_models() -%}
    {%- if execute and project_name != 'customer_value' -%}
        {%- set taken = [] -%}
        {%- for node in graph.nodes.values()
            if node.package_name == 'customer_value' and node.resource_type in ['model', 'test'] and not node.name.startswith('stg_customer_value__') -%}
            {%- for parent in node.depends_on.nodes if parent.split('.')[1] != 'customer_value' -%}
                {%- set name = parent.split('.')[2] -%}
                {%- if ('model.customer_value.' ~ name in graph.nodes or 'seed.customer_value.' ~ name in graph.nodes) and name not in taken -%}
                    {%- do taken.append(name) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if taken -%}
            {{ exceptions.raise_compiler_error(
                "customer_value and " ~ project_name ~ " both have " ~ taken | sort | join(', ')
                ~ ", and dbt takes yours for ours. Write in your dbt_project.yml flags: {require_ref_searches_node_package_before_root: true}; "
                ~ "or, where yours is to replace ours, disable ours under models: or seeds: customer_value:."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
