import { outputOf } from './display/fakeKernel';
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { byProfile, profile } from 'focal-loss-lab';

afterEach(() => {
  delete process.env.FOCAL_PROFILE;
});

const settings = () => ({
  quick: { epochs: 5, gammas: [0.1, 2], model: { width: 8 } },
  paper: { epochs: 100, gammas: [0.1, 0.5, 2], model: { width: 64 } },
});

describe('profile', () => {
  test("is 'quick' unless FOCAL_PROFILE says 'paper'", () => {
    assert.equal(profile(), 'quick');
    for (const name of ['quick', 'paper'] as const) {
      process.env.FOCAL_PROFILE = name;
      assert.equal(profile(), name);
    }
  });

  test('anything else is an error that names the variable and the choices', () => {
    for (const name of ['Paper', 'fast', ' quick']) {
      process.env.FOCAL_PROFILE = name;
      assert.throws(() => profile(), new RegExp(`FOCAL_PROFILE is '${name}'; expected 'quick' or 'paper'`));
    }
  });
});

describe('byProfile', () => {
  test("returns this run's settings and shows the paper's next to them", async () => {
    let active;
    const { data } = await outputOf(() => {
      active = byProfile(settings());
    });
    assert.deepEqual(active, settings().quick);
    assert.equal(
      data['text/plain'],
      [
        'Profile: quick',
        'setting  this run     paper',
        'epochs   5            100',
        'gammas   0.1, 2       0.1, 0.5, 2',
        'model    {"width":8}  {"width":64}',
      ].join('\n'),
    );
  });

  test("returns the paper's settings in the paper profile", async () => {
    process.env.FOCAL_PROFILE = 'paper';
    await outputOf(() => assert.deepEqual(byProfile(settings()), settings().paper));
  });

  test('the settings cannot be changed afterwards', async () => {
    await outputOf(() => {
      const active = byProfile(settings());
      assert.throws(() => active.gammas.push(3), TypeError);
      assert.throws(() => Object.assign(active.model, { width: 9 }), TypeError);
    });
  });

  test('a setting of one profile only is an error', () => {
    const uneven = { quick: { epochs: 1 }, paper: { epochs: 2, noise: 0 } };
    assert.throws(() => byProfile<object>(uneven), /^TypeError: byProfile: .*'noise'/);
  });
});
