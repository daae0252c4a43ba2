import { BadInput } from '../bad-input.ts';
import { callsOfSchedule } from '../calls-of-schedule.ts';
import { add, divide, exact, multiply, nothing } from '../exact.ts';
import { drillHours, hoursOfMonth, stepsOfDrill } from '../measured.ts';
import { objectOf, referredBy, type TemplateResource, textOf } from '../template.ts';
import { databaseNeedOf } from './price-data.ts';
import type { PriceRule, RuleContext } from './rule.ts';

/**
 * A restore drill: its steps, and the instance that it makes for some hours, with a disk as large as the database's. It
 * costs nothing where no schedule starts it.
 */
const ofStateMachine: PriceRule = (machine, context) => {
  const runs = add(nothing, ...runsOf(machine, context));
  const hours = multiply(runs, drillHours);
  const instanceClass = classOf(machine, context);
  const database = context.template
    .ofType('AWS::RDS::DBInstance')
    .find(({ properties }) => !('SourceDBInstanceIdentifier' in properties));
  if (database === undefined) throw new BadInput(`${machine.name}: there is no database that it could restore`);
  const { storageGb } = databaseNeedOf(database, context);
  return [
    {
      service: 'Functions and schedules',
      item: 'steps of state machines',
      rate: 'states.thousand-transitions',
      quantity: divide(multiply(runs, stepsOfDrill), exact(1000)),
    },
    {
      service: 'Backups',
      item: `restore drills, ${instanceClass}`,
      rate: `rds.postgresql.${instanceClass.replace(/^db\./, '')}.single`,
      quantity: hours,
    },
    {
      service: 'Backups',
      item: 'disks of restore drills',
      rate: 'rds.gp3.single',
      quantity: divide(multiply(storageGb, hours), hoursOfMonth),
    },
  ];
};

function runsOf(machine: TemplateResource, { template }: RuleContext) {
  return template
    .ofType('AWS::Scheduler::Schedule')
    .filter(({ properties }) => referredBy(objectOf(properties.Target).Arn) === machine.name)
    .map((schedule) => callsOfSchedule(textOf(schedule, 'ScheduleExpression'), schedule.name));
}

/** The function that restores is told into which class. */
function classOf(machine: TemplateResource, { template }: RuleContext): string {
  for (const { properties } of template.ofType('AWS::Lambda::Function')) {
    const found = objectOf(objectOf(properties.Environment).Variables).DRILL_INSTANCE_CLASS;
    if (typeof found === 'string') return found;
  }
  throw new BadInput(`${machine.name}: no function of the template says by DRILL_INSTANCE_CLASS what it makes`);
}

/** What a restore drill costs. */
export const rulesOfDrills: Record<string, PriceRule> = { 'AWS::StepFunctions::StateMachine': ofStateMachine };
