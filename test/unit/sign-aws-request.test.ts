import { describe, expect, test } from '@jest/globals';
import { signAwsRequest } from '../../core/outbound/sign-aws-request.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const now = Date.UTC(2015, 7, 30, 12, 36, 0);

describe('a signed request of AWS', () => {
  test('has the signature that AWS’s own example has', async () => {
    const url = new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08');
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const signature = { credentials, region: 'us-east-1', service: 'iam', now };
    const signed = await signAwsRequest({ method: 'GET', url, headers, body: '' }, signature);
    expect(signed.authorization).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, ' +
        'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });

  // Made by @smithy/signature-v4 5.7.5, which the AWS SDK signs with.
  test.each<[string, string, string | Uint8Array, string]>([
    [
      'sns',
      'https://sns.eu-west-1.amazonaws.com/',
      'Action=Publish&Subject=a+b',
      '217abae37db634a2f99d41264424f0c06c574dfbe3f4c59e29bfac58e8b9149f',
    ],
    [
      'xray',
      'https://xray.us-east-1.amazonaws.com/v1/traces',
      Buffer.from([0, 1, 250, 7]),
      '17a6c0dc84f5d7715c6d5822e2d05482732bb7d601fd782d96374f9b69caf4f3',
    ],
    [
      'lambda',
      'https://lambda.us-east-1.amazonaws.com/a%20b/c?x=1&a=b%2Fc',
      '',
      '6134c74e3d54ad3e37d1da55591c86fdf584abd0447e1e193318815ac4dfd756',
    ],
  ])('for %s is as the AWS SDK signs it, with a token that ends', async (service, address, body, expected) => {
    const session = { ...credentials, sessionToken: 'a token/with+signs=' };
    const signed = await signAwsRequest(
      { method: 'POST', url: new URL(address), headers: { 'content-type': 'application/x-protobuf' }, body },
      { credentials: session, region: 'us-east-1', service, now },
    );
    expect(signed.authorization?.slice(-64)).toBe(expected);
    expect(signed).toMatchObject({ 'x-amz-security-token': session.sessionToken, 'x-amz-date': '20150830T123600Z' });
  });
});
