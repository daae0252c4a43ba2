# shellcheck shell=bash
# Functions that the pages of docs/runbooks/ use, for bash or zsh. Source it once in each terminal, in the project's
# folder:
#   . .github/scripts/on-call.sh STAGE
# Without AWS_REGION in the environment it takes `region` of resources/stages.yml, not the aws CLI's own default.
STAGE="${1:?say the stage, such as prod}"
export STAGE AWS_REGION="${AWS_REGION:-us-east-1}"

# An output of the stack.
output() { # NAME
  aws cloudformation describe-stacks --stack-name "qurable-$STAGE" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

# The name, address or ARN that a resource of the template has in the account.
resource() { # LOGICAL-ID
  aws cloudformation describe-stack-resource --stack-name "qurable-$STAGE" --logical-resource-id "$1" \
    --query StackResourceDetail.PhysicalResourceId --output text
}

# The key that may do everything.
admin_key() {
  aws secretsmanager get-secret-value --secret-id "$(output AdminKeySecretArn)" --query SecretString --output text
}

# One alarm: its state, since when, and why. Without a name: all that ring.
alarm() { # [NAME]
  if [ -n "${1:-}" ]; then
    aws cloudwatch describe-alarms --alarm-names "qurable-$STAGE-$1" \
      --query 'MetricAlarms[].[StateValue,StateUpdatedTimestamp,StateReason]' --output text
  else
    aws cloudwatch describe-alarms --alarm-name-prefix "qurable-$STAGE-" --state-value ALARM \
      --query 'MetricAlarms[].[AlarmName,StateUpdatedTimestamp,AlarmDescription]' --output text
  fi
}

# The first fifty lines of a log group that match a CloudWatch filter pattern, of the last hour or so many minutes.
log_lines() { # GROUP [PATTERN] [MINUTES]
  aws logs filter-log-events --log-group-name "$1" --filter-pattern "${2:-}" \
    --start-time "$(($(date +%s) - ${3:-60} * 60))000" --max-items 50 --query 'events[].[message]' --output text
}

# What the database's sessions did or waited for in the last quarter of an hour: the average number of sessions, the
# highest first.
database_load() { # db.wait_event|db.sql|db.application
  local id
  id="$(aws rds describe-db-instances --db-instance-identifier "qurable-$STAGE" \
    --query 'DBInstances[0].DbiResourceId' --output text)"
  aws pi describe-dimension-keys --service-type RDS --identifier "$id" --metric db.load.avg --group-by "Group=$1" \
    --start-time "$(($(date +%s) - 900))" --end-time "$(date +%s)" --query 'Keys[].[Total,Dimensions]' --output json
}

# Runs statements beside the database, reading only unless told --write first (docs/deployment.md, "A way to the
# database").
sql() { # [--write] [--timeout SECONDS] "STATEMENTS"
  .github/scripts/operate.sh "$STAGE" sql "$@"
}

# The last things that ECS said of the service.
service_events() {
  aws ecs describe-services --cluster "qurable-$STAGE" --services qurable-api \
    --query 'services[0].events[:10].[createdAt,message]' --output text
}

# Least and most tasks, then how many are wanted and how many run.
capacity() {
  aws application-autoscaling describe-scalable-targets --service-namespace ecs \
    --resource-ids "service/qurable-$STAGE/qurable-api" --query 'ScalableTargets[].[MinCapacity,MaxCapacity]' --output text
  aws ecs describe-services --cluster "qurable-$STAGE" --services qurable-api \
    --query 'services[0].[desiredCount,runningCount]' --output text
}

# The database, or with -replica its copy: its storage and the limit of that, the latest moment that can be restored,
# and more.
database_state() { # [-replica]
  aws rds describe-db-instances --db-instance-identifier "qurable-$STAGE${1:-}" --output json --query 'DBInstances[0].{
    status: DBInstanceStatus, class: DBInstanceClass, multiAz: MultiAZ, zone: AvailabilityZone, replication: StatusInfos,
    allocatedGb: AllocatedStorage, mostGb: MaxAllocatedStorage, restorableUntil: LatestRestorableTime }'
}

# What RDS says of a day.
database_events() { # [-replica]
  aws rds describe-events --source-type db-instance --source-identifier "qurable-$STAGE${1:-}" --duration 1440 \
    --query 'Events[].[Date,Message]' --output text
}

# The five newest snapshots of the database.
snapshots() {
  aws rds describe-db-snapshots --db-instance-identifier "qurable-$STAGE" --output text \
    --query 'reverse(sort_by(DBSnapshots,&SnapshotCreateTime))[:5].[DBSnapshotIdentifier,Status,SnapshotCreateTime]'
}

# The cache's status and class, and which node is the primary.
cache_state() {
  aws elasticache describe-replication-groups --replication-group-id "qurable-$STAGE" \
    --query 'ReplicationGroups[0].[Status,CacheNodeType,NodeGroups[0].NodeGroupMembers[].[CacheClusterId,CurrentRole]]'
}

# Restarts all tasks, some at a time. It takes minutes, and no request is refused. Only this function changes something.
roll_tasks() {
  aws ecs update-service --cluster "qurable-$STAGE" --service qurable-api --force-new-deployment --query service.status
}
