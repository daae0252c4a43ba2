#!/usr/bin/env bash
# Runs one command for an operator near a stage's database: in a task of the API's image, which ends with the command.
# It prints the command's output. CloudTrail (RunTask) keeps who started which command, and the log group
# /ecs/qurable-STAGE-operator keeps the output.
#   operate.sh STAGE sql [--write] [--timeout SECONDS] "STATEMENTS"
#   operate.sh STAGE after-restore --since 2026-11-28T03:00:00Z [FLAG…]     with the marks of the API's log from then on
#   operate.sh STAGE after-restore --marks FILE [FLAG…]                     with those of a file on this machine
#   operate.sh STAGE after-restore [FLAG…]                                  as npm run after-restore
#   operate.sh STAGE export-events|verify-events|import-events|reconcile [FLAG…]   on the stage's bucket
#   operate.sh STAGE rewrap-pattern-keys                                    makes the next code secret, and wraps by it
# It needs ecs:RunTask, DescribeTasks and StopTask, iam:PassRole on the roles of the stage's operator tasks,
# logs:FilterLogEvents and cloudformation:DescribeStacks. Marks also need s3:PutObject and GetObject below operator/ in
# the backup bucket, and its key. The code secret also needs secretsmanager:PutSecretValue.
set -euo pipefail
stage="$1" command="$2"
shift 2
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

aws cloudformation describe-stacks --stack-name "qurable-$stage" \
  --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text >"$folder/outputs"
output() { # NAME
  awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$folder/outputs"
}

# Puts a file where the task can read it for an hour, and prints the address.
hand_over() { # FILE
  local place
  place="s3://$(output BackupBucketName)/operator/$(date -u +%Y%m%dT%H%M%SZ)-$$.log"
  aws s3 cp --quiet "$1" "$place"
  aws s3 presign --expires-in 3600 "$place"
}

# The lines of the API's log that say how far decks were dealt.
marks_since() { # TIME
  local from
  from="$(node -p 'const at = Date.parse(process.argv[1]); if (!(at > 0)) throw new Error("--since: no time: " + process.argv[1]); at' "$1")"
  aws logs filter-log-events --log-group-name "/ecs/qurable-$stage-api" --start-time "$from" \
    --filter-pattern '"deck marks"' --query 'events[].[message]' --output text
}

# Makes the next version of the code secret under its own label, unless an earlier try has made it. Tasks go on using
# the present version.
make_next_code_secret() {
  local secret version label labels
  secret="$(output CodeSecretArn)" version="$(($(output CodeSecretVersion) + 1))"
  label="code-secret-$version"
  labels="$(aws secretsmanager describe-secret --secret-id "$secret" --query 'values(VersionIdsToStages)[]' --output text)"
  case " $(tr '\t\n' '  ' <<<"$labels") " in
    *" $label "*) echo "$label is there" ;;
    *)
      # The secret goes through a file: as an argument, any list of processes would show it.
      (umask 077; aws secretsmanager get-random-password --password-length 64 --exclude-punctuation \
        --query RandomPassword --output text | tr -d '\n' >"$folder/secret")
      aws secretsmanager put-secret-value --secret-id "$secret" --version-stages "$label" \
        --secret-string "file://$folder/secret" >/dev/null
      echo "made $label"
      ;;
  esac
}

definition=OperatorTaskDefinition
arguments=()
case "$command" in
  sql) program=core/db/sql-command.ts ;;
  after-restore) program=core/restore/after-restore-command.ts ;;
  export-events | verify-events | import-events | reconcile)
    program=operations/events/$command-command.ts definition=EventsTaskDefinition
    ;;
  rewrap-pattern-keys)
    program=core/patterns/rewrap-pattern-keys-command.ts definition=RewrapTaskDefinition
    make_next_code_secret
    ;;
  *) echo "operate.sh: sql, after-restore, export-events, verify-events, import-events, reconcile or rewrap-pattern-keys, not $command" >&2; exit 1 ;;
esac
while [ $# -gt 0 ]; do
  case "$command $1" in
    'after-restore --since')
      marks_since "$2" >"$folder/marks"
      echo "$(wc -l <"$folder/marks") lines of marks since $2"
      address="$(hand_over "$folder/marks")"
      arguments+=(--marks "$address")
      shift 2
      ;;
    'after-restore --marks')
      address="$(hand_over "$2")"
      arguments+=(--marks "$address")
      shift 2
      ;;
    *) arguments+=("$1"); shift ;;
  esac
done

node -p 'JSON.stringify({ containerOverrides: [{ name: "operator", command: ["node", ...process.argv.slice(1)] }] })' -- \
  "$program" ${arguments[@]+"${arguments[@]}"} >"$folder/overrides"
cluster="$(output ClusterName)"
task="$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --started-by operator \
  --task-definition "$(output "$definition")" --network-configuration "$(output OperatorNetwork)" \
  --overrides "file://$folder/overrides" --query 'tasks[0].taskArn' --output text)"
[ "$task" != None ] || { echo "operate.sh: no task was started" >&2; exit 1; }
echo "runs as $task; to break it off: aws ecs stop-task --cluster $cluster --task $task" >&2

described() { aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query "tasks[0].$1" --output text; }
until [ "$(described lastStatus)" = STOPPED ]; do sleep "${PAUSE:-3}"; done
# The last lines may reach the log a little later.
sleep "${PAUSE:-3}"
aws logs filter-log-events --log-group-name "$(output OperatorLogGroup)" \
  --log-stream-names "operator/operator/${task##*/}" --query 'events[].[message]' --output text || true
code="$(described 'containers[0].exitCode')"
if [ "$code" = None ]; then
  echo "operate.sh: the command was not started: $(described stoppedReason)" >&2
  exit 1
fi
if [ "$command $code" = 'rewrap-pattern-keys 0' ]; then
  echo "now deploy with codeSecretVersion $(($(output CodeSecretVersion) + 1)) in resources/stages.yml: until then, patterns that a task does not know yet are unavailable"
fi
exit "$code"
