select
    'customer-' || numbers.number as customer_id,
    run.edition,
    run.run_id
from {{ ref('int_customer_value__run') }} as run
cross join range({{ var('customer_count') }}) as numbers (number)
