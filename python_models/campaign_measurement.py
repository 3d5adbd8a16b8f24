"""Measures each treatment of a campaign beside its control group, for campaign_uplift."""

from customer_value import campaigns


def model(dbt, session):
    """Return each treatment's difference by segment and metric; none without campaigns."""
    arms = dbt.ref("int_customer_value__campaign_arms")
    return campaigns.measure(arms)
