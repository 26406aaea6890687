"""Elastic addresses and flow logs of product vpc, alarm rules of product cms (CloudMonitor)."""

from __future__ import annotations

from auditor.simulator.answers import RESOURCE_GROUP
from auditor.simulator.wire import Answer, Call, Row


def describe_eip_addresses(call: Call) -> Row:
    eips = [
        eip
        for eip in call.own(call.world.eips)
        if call.matches(
            AllocationId=eip.allocation_id,
            EipAddress=eip.ip_address,
            AssociatedInstanceType=eip.instance_type,
            AssociatedInstanceId=eip.instance_id,
            Status=eip.status,
        )
    ]
    call.dry_run()
    page, number, size = call.numbered_page(eips, default=10, maximum=100)
    rows = [
        call.view(
            eip.allocation_id,
            {
                "AllocationId": eip.allocation_id,
                "AllocationTime": "2024-03-05T09:00:00Z",
                "Bandwidth": "5",
                "BusinessStatus": "Normal",
                "ChargeType": "PostPaid",
                "Description": "",
                "ISP": "BGP",
                "InstanceId": eip.instance_id,
                "InstanceRegionId": eip.region_id if eip.instance_id else "",
                "InstanceType": eip.instance_type,
                "InternetChargeType": "PayByTraffic",
                "IpAddress": eip.ip_address,
                "Name": "",
                "OperationLocks": {"LockReason": []},
                "RegionId": eip.region_id,
                "ResourceGroupId": RESOURCE_GROUP,
                "Status": eip.status,
                "Tags": {"Tag": []},
            },
        )
        for eip in page
    ]
    return {
        "EipAddresses": {"EipAddress": rows},
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": len(eips),
    }


def describe_flow_logs(call: Call) -> Row:
    """Flow logs; paging numbers and `Success` are text."""
    logs = [
        log
        for log in call.own(call.world.flow_logs)
        if call.matches(ResourceId=log.resource_id, ResourceType=log.resource_type, Status=log.status)
    ]
    page, number, size = call.numbered_page(logs, default=20, maximum=50)
    rows = [
        call.view(
            log.flow_log_id,
            {
                "AggregationInterval": 10,
                "BusinessStatus": "Normal",
                "CreationTime": "2024-03-05T11:00:00Z",
                "Description": "",
                "FlowLogId": log.flow_log_id,
                "FlowLogName": "",
                "LogStoreName": "privatelink",
                "ProjectName": "audit",
                "RegionId": log.region_id,
                "ResourceGroupId": RESOURCE_GROUP,
                "ResourceId": log.resource_id,
                "ResourceType": log.resource_type,
                "Status": log.status,
                "Tags": {"Tag": []},
                "TrafficPath": {"TrafficPathList": ["all"]},
                "TrafficType": "All",
            },
        )
        for log in page
    ]
    return {
        "FlowLogs": {"FlowLog": rows},
        "PageNumber": str(number),
        "PageSize": str(size),
        "Success": "true",
        "TotalCount": str(len(logs)),
    }


def describe_metric_rule_list(call: Call) -> Row:
    """CloudMonitor alarm rules; `Page` counts the pages and `Total` is text."""
    enabled = call.flag("EnableState")
    alarms = [
        alarm
        for alarm in list(call.world.alarms.values())
        if alarm.account_id == call.account.account_id
        and (not call.region_id or alarm.region_id == call.region())
        and call.matches(Namespace=alarm.namespace)
        and (enabled is None or alarm.enabled is enabled)
    ]
    page, _, _ = call.numbered_page(alarms, default=10, maximum=100, name="Page")
    rows = [
        call.view(
            alarm.rule_id,
            {
                "AlertState": "OK",
                "ContactGroups": "operations",
                "Dimensions": "",
                "EffectiveInterval": "00:00-23:59",
                "EnableState": alarm.enabled,
                "MetricName": "ConnectionBandwidth",
                "Namespace": alarm.namespace,
                "Period": "60",
                "Resources": alarm.resources,
                "RuleId": alarm.rule_id,
                "RuleName": alarm.name,
                "SilenceTime": 86400,
                "SourceType": "METRIC",
            },
        )
        for alarm in page
    ]
    return {"Alarms": {"Alarm": rows}, "Code": 200, "Success": True, "Total": str(len(alarms))}


CMS_OPERATIONS: dict[str, Answer] = {"DescribeMetricRuleList": describe_metric_rule_list}


OPERATIONS: dict[str, Answer] = {
    "DescribeEipAddresses": describe_eip_addresses,
    "DescribeFlowLogs": describe_flow_logs,
}
