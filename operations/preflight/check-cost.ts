import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, ok, skipped } from '../checklists/check.ts';
import type { Stage } from '../checklists/read-stage.ts';
import { BadInput } from '../cost/bad-input.ts';
import { compareMonths } from '../cost/compare-months.ts';
import { asPackaged, estimateMonth } from '../cost/estimate-month.ts';
import { dollars } from '../cost/exact.ts';
import { packageStage, withRegistry } from '../cost/package-stage.ts';
import { readPrices } from '../cost/read-prices.ts';
import { readTemplate } from '../cost/template.ts';
import { parametersToGive } from './read-parameters.ts';

/**
 * What a deployment of these files would change in what the stage costs a month. It is told, and is never a no; skipped
 * where the price of something is not known.
 * @param requestsPerDay the load under which both are compared
 */
export async function checkCost(aws: AskAws, stage: Stage, requestsPerDay: number): Promise<Finding> {
  const answer = await aws('cloudformation', 'get-template', '--stack-name', stage.stack);
  const { TemplateBody: body } = answer;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const live = withRegistry(readTemplate(text, stage.stack));
    const { template, region } = await packageStage(stage.name, parametersToGive(stage));
    const prices = readPrices(region, null);
    const load = { requestsPerDay, requestsPerConnection: 10, hasBlackFriday: false, monthsKept: 1 };
    const [before, after] = [live, template].map((one) => estimateMonth(one, load, prices, asPackaged));
    const changes = compareMonths(before!, after!).map(({ service, item }) => `${service}: ${item}`);
    const months = `${dollars(before!.cents)} → ${dollars(after!.cents)} a month at ${requestsPerDay} requests a day`;
    return ok(changes.length === 0 ? `${months}, nothing changes` : `${months}, by ${changes.join('; ')}`);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return skipped(error.message);
  }
}
