import { describe, expect, test } from '@jest/globals';
import { estimateMonth } from '../../../operations/cost/estimate-month.ts';
import { readPrices } from '../../../operations/cost/read-prices.ts';
import { loadOf, scenarios } from '../../../operations/cost/strategy.ts';
import { smallTemplate } from './small-template.ts';

const load = loadOf(scenarios[0]!, { requestsPerConnection: 10, monthsKept: 1 });
const drill = {
  Drill: { Type: 'AWS::StepFunctions::StateMachine', Properties: {} },
  DrillLambdaFunction: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: 'drill',
      MemorySize: 256,
      Architectures: ['arm64'],
      Environment: { Variables: { DRILL_INSTANCE_CLASS: 'db.t4g.medium' } },
    },
  },
};
const schedule = {
  Type: 'AWS::Scheduler::Schedule',
  Properties: { ScheduleExpression: 'cron(0 7 ? * 3#2 *)', Target: { Arn: { Ref: 'Drill' } } },
};

function linesOf(more: Parameters<typeof smallTemplate>[0]) {
  const { lines } = estimateMonth(smallTemplate({ ...drill, ...more }), load, readPrices('us-east-1'));
  return lines.filter(({ item }) => /drill|state machine/.test(item)).map(({ item, cents }) => [item, Number(cents)]);
}

describe('a restore drill', () => {
  test('costs its steps, and an instance and a disk for three hours, each time that its schedule starts it', () => {
    expect(linesOf({ Monthly: schedule })).toEqual([
      // 3 hours at 0.065, 3 of 730 hours of 100 GB at 0.115, 0.4 thousand steps at 0.025.
      ['restore drills, db.t4g.medium', 20],
      ['disks of restore drills', 5],
      ['steps of state machines', 1],
    ]);
  });

  test('costs nothing that can be told beforehand where no schedule starts it', () => {
    expect(linesOf({})).toEqual([]);
  });

  test('into a class that has no price is named', () => {
    const DrillLambdaFunction = structuredClone(drill.DrillLambdaFunction);
    DrillLambdaFunction.Properties.Environment.Variables.DRILL_INSTANCE_CLASS = 'db.m6i.large';
    expect(() => linesOf({ Monthly: schedule, DrillLambdaFunction })).toThrow(/m6i\.large/);
  });
});
