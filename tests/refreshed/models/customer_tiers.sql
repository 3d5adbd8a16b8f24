select
    customer_id,
    edition,
    {{ customer_value.run_id() }} as run_id
from {{ ref('customers') }}
