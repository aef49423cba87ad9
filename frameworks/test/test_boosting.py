"""focal_loss_boosting.py against 50 digits; and, where they are installed, in LightGBM and XGBoost."""

import functools
import importlib.util
import math
import re
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import reference
from focal_loss_boosting import FocalObjective
from reference import FAR, GAMMAS, MARGINS


def installed(name):
    return unittest.skipUnless(importlib.util.find_spec(name), f'{name} is not installed: npm run frameworks has it')


class Mathematics(unittest.TestCase):
    def test_loss_and_derivatives_are_those_of_50_digits(self):
        z = np.array(MARGINS)
        for gamma in GAMMAS:
            focal = FocalObjective(None, gamma)
            exact = np.array([reference.binary(x, gamma) for x in MARGINS])
            for label in (1, 0):
                sign, y = 2 * label - 1, np.full(z.size, label)
                self.assertLess(np.abs(focal.loss(sign * z, y) / exact[:, 0] - 1).max(), 2e-15 * (1 + gamma))
                self.assertLess(np.abs(sign * focal.gradient(sign * z, y) / exact[:, 1] - 1).max(), 2e-15 * (1 + gamma))
                scale = np.abs(exact[:, 2]) + np.where(z < 0, np.exp(z), 0)  # it changes its sign at a hard example
                error = np.abs(focal.second_derivative(sign * z, y) - exact[:, 2]) / scale
                self.assertLess(error.max(), 1e-14)

    def test_alpha_weighs_all_three(self):
        focal, plain = FocalObjective(0.25, 2), FocalObjective(None, 2)
        x, y = np.array([0.5, 0.5]), np.array([1, 0])
        for name in ('loss', 'gradient', 'second_derivative'):
            weighted, unweighted = getattr(focal, name)(x, y), getattr(plain, name)(x, y)
            np.testing.assert_allclose(weighted, unweighted * [0.25, 0.75], rtol=1e-15)

    def test_everything_is_finite_and_every_hessian_positive(self):
        x = np.array([s * z for z in FAR + MARGINS + [1e300] for s in (1, -1)])
        for gamma in GAMMAS:
            for label in (0, 1):
                gradient, hessian = FocalObjective(0.25, gamma).objective(x, np.full(x.size, label))
                self.assertTrue(np.isfinite(gradient).all() and np.isfinite(hessian).all(), gamma)
                self.assertGreater(hessian.min(), 0)

    def test_the_second_derivative_is_negative_for_hard_examples_and_that_is_clipped(self):
        focal = FocalObjective(None, 2)
        self.assertAlmostEqual(focal.second_derivative([-5], [1])[0], -0.0319998043227, delta=1e-12)
        _, hessian = focal.objective([-5], [1])
        p, q = 1 / (1 + math.exp(5)), 1 / (1 + math.exp(-5))
        self.assertAlmostEqual(hessian[0], p * q**3, delta=1e-15)
        self.assertLess(focal.second_derivative([-2.8], [1])[0], 0)
        self.assertGreater(focal.second_derivative([-2.78], [1])[0], 0)

    def test_a_clipped_hessian_is_positive_but_does_not_bound_the_step(self):
        for gamma, steps in ((2, (159.49, 4.8517e8)), (0, (149.41, 4.8517e8))):
            gradient, hessian = FocalObjective(None, gamma).objective([-5, -20], [1, 1])
            np.testing.assert_allclose(-gradient / hessian, steps, rtol=1e-4)

    def test_for_easy_examples_the_hessian_is_the_second_derivative(self):
        x = np.arange(0.0, 30.0)
        for gamma in GAMMAS:
            focal = FocalObjective(None, gamma)
            _, hessian = focal.objective(x, np.ones(30))
            np.testing.assert_array_equal(hessian, np.maximum(focal.second_derivative(x, np.ones(30)), 1e-16))

    def test_gamma_0_is_the_logistic_loss(self):
        x, y = np.array([-3.0, 0.0, 2.0]), np.array([1, 0, 1])
        p = 1 / (1 + np.exp(-x))
        gradient, hessian = FocalObjective(None, 0).objective(x, y)
        np.testing.assert_allclose(gradient, p - y, rtol=1e-14)
        np.testing.assert_allclose(hessian, p * (1 - p), rtol=1e-14)

    def test_no_constant_score_has_a_smaller_loss_than_the_initial_one(self):
        for gamma in (0, 0.5, 2, 5):
            for alpha in (None, 0.25, 0.9):
                for positives in (1, 30, 500, 999):
                    y = np.r_[np.ones(positives), np.zeros(1000 - positives)]
                    focal = FocalObjective(alpha, gamma)
                    start = focal.initial_score(y)
                    here = focal.loss(np.full(1000, start), y).sum()
                    for other in start + np.r_[-0.01, 0.01, np.linspace(-8, 8, 33)]:
                        self.assertLessEqual(here, focal.loss(np.full(1000, other), y).sum() * (1 + 1e-12))
        self.assertAlmostEqual(FocalObjective(None, 0).initial_score([1, 0, 0, 0]), math.log(1 / 3), delta=1e-10)

    def test_sample_weights_multiply_both(self):
        focal = FocalObjective()
        gradient, hessian = focal.objective([1, 1], [0, 0], [1, 3])
        self.assertAlmostEqual(gradient[1] / gradient[0], 3)
        self.assertAlmostEqual(hessian[1] / hessian[0], 3)
        self.assertAlmostEqual(focal.initial_score([1, 0], [1, 3]), focal.initial_score([1, 0, 0, 0]), delta=1e-9)

    def test_what_is_no_label_and_other_parameters_are_refused(self):
        for bad in (2, -1, 0.5, math.nan):
            with self.assertRaisesRegex(ValueError, 'labels must be 0 or 1, got'):
                FocalObjective().objective([0, 0], [1, bad])
        with self.assertRaisesRegex(ValueError, r'one shape, got \(2,\) and \(1,\)'):
            FocalObjective().loss([0, 0], [1])
        for change in ({'alpha': -1}, {'gamma': -1}, {'gamma': math.inf}):
            with self.assertRaisesRegex(ValueError, f'{next(iter(change))} must be'):
                FocalObjective(**change)
        with self.assertRaisesRegex(ValueError, 'of both kinds'):
            FocalObjective().initial_score([1, 1])


class Packages(unittest.TestCase):
    """Faults of two packages in their hessian, written down here: in place of (1 - p)^gamma, and where it divides."""

    def test_a_power_of_1_minus_y_is_0_for_every_label_1(self):
        for x in (-5.0, 0.0, 5.0):
            p, y = 1 / (1 + math.exp(-x)), 1
            bracket = 2 * (2 * (1 - p) - 2 * p * math.log(p)) + (1 - p) + 2 * (1 - p) * math.log(p)
            self.assertEqual(y * p * (1 - y) ** 2 * bracket, 0)
            self.assertNotEqual(FocalObjective(None, 2).second_derivative([x], [y])[0], 0)
        self.assertAlmostEqual(FocalObjective(None, 2).second_derivative([0], [1])[0], 0.399143, delta=1e-6)

    def test_a_division_by_1_minus_p_is_nan_at_a_hopeless_label_0(self):
        p = 1 / (1 + np.exp(-np.array([40.0])))
        with np.errstate(divide='ignore', invalid='ignore'):
            self.assertTrue(np.isnan(p * (1 - p) * (p**2 * p / (1 - p))).all())
        focal = FocalObjective(None, 2)
        self.assertAlmostEqual(focal.second_derivative([40], [0])[0] / -3.18626569e-16, 1, delta=1e-8)
        self.assertEqual(focal.objective([40], [0])[1][0], 1e-16)


def rare_positives():
    """2,000 samples, 1 in 20 positive, and of those labels some wrong: hard examples to the end."""
    random = np.random.default_rng(7)
    X = random.normal(size=(2000, 5))
    y = (X[:, 0] + 0.5 * X[:, 1] + 0.3 * random.normal(size=2000) > 1.9).astype(float)
    wrong = random.random(2000) < 0.01
    return X, np.where(wrong, 1 - y, y)


class Libraries(unittest.TestCase):
    @installed('lightgbm')
    def test_lightgbm_lowers_the_loss_in_every_round(self):
        import lightgbm

        X, y = rare_positives()
        for gamma in (0.5, 2):
            focal = FocalObjective(0.25, gamma)
            start = focal.initial_score(y)
            data = lightgbm.Dataset(X, y, init_score=np.full(y.size, start))
            history = {}
            model = lightgbm.train(
                {'objective': focal.lightgbm, 'learning_rate': 0.1, 'verbose': -1, 'num_threads': 1},
                data,
                num_boost_round=60,
                valid_sets=[data],
                feval=focal.lightgbm_metric,
                callbacks=[lightgbm.record_evaluation(history)],
            )
            losses = [focal.loss(np.full(y.size, start), y).mean(), *history['training']['focal_loss']]
            self.assertTrue((np.diff(losses) < 0).all(), gamma)
            self.assertLess(losses[-1], 0.5 * losses[0])
            raw = start + model.predict(X, raw_score=True)
            self.assertAlmostEqual(focal.loss(raw, y).mean(), losses[-1], delta=1e-6 * losses[-1])

    @installed('xgboost')
    def test_xgboost_lowers_the_loss_in_every_round(self):
        import xgboost

        X, y = rare_positives()
        for gamma in (0.5, 2):
            focal = FocalObjective(0.25, gamma)
            start = focal.initial_score(y)
            data = xgboost.DMatrix(X, y)
            history = {}
            settings = {'base_score': start, 'disable_default_eval_metric': 1, 'eta': 0.1, 'min_child_weight': 0.1}
            model = xgboost.train(
                settings | {'nthread': 1},
                data,
                num_boost_round=60,
                obj=focal.xgboost,
                custom_metric=focal.xgboost_metric,
                evals=[(data, 'training')],
                evals_result=history,
                verbose_eval=False,
            )
            losses = [focal.loss(np.full(y.size, start), y).mean(), *history['training']['focal_loss']]
            self.assertTrue((np.diff(losses) < 0).all(), gamma)
            self.assertLess(losses[-1], 0.5 * losses[0])
            raw = model.predict(data, output_margin=True)
            self.assertAlmostEqual(focal.loss(raw, y).mean(), losses[-1], delta=1e-6)  # told to 6 places

    @installed('xgboost')
    def test_xgboost_grows_no_tree_where_the_hessians_sum_up_to_less_than_min_child_weight(self):
        import xgboost

        X, y = (part[:40] for part in rare_positives())
        y[-1] = 1
        focal = FocalObjective(0.25, 2)
        start = focal.initial_score(y)
        self.assertAlmostEqual(focal.objective(np.full(40, start), y)[1].sum(), 0.71, delta=0.005)
        leaves = {}
        for least in (None, 0.01):
            settings = {'base_score': start, 'disable_default_eval_metric': 1, 'nthread': 1}
            settings |= {} if least is None else {'min_child_weight': least}
            model = xgboost.train(settings, xgboost.DMatrix(X, y), 1, obj=focal.xgboost)
            leaves[least] = model.get_dump()[0].count('leaf')
        self.assertEqual(leaves[None], 1)
        self.assertGreater(leaves[0.01], 1)

    @installed('lightgbm')
    @installed('xgboost')
    def test_max_delta_step_caps_the_leaves_of_both(self):
        import lightgbm
        import xgboost

        X, y = rare_positives()
        focal, start = FocalObjective(None, 2), np.full(y.size, -8.0)  # the positives are hopeless

        def largest(**cap):
            settings = {'objective': focal.lightgbm, 'learning_rate': 1, 'verbose': -1, 'num_threads': 1} | cap
            model = lightgbm.train(settings, lightgbm.Dataset(X, y, init_score=start), 1)
            settings = {'base_score': 0, 'eta': 1, 'min_child_weight': 0, 'lambda': 0, 'nthread': 1} | cap
            other = xgboost.train(settings, xgboost.DMatrix(X, y, base_margin=start), 1, obj=focal.xgboost)
            steps = other.predict(xgboost.DMatrix(X, base_margin=start), output_margin=True) + 8
            return np.abs(model.predict(X, raw_score=True)).max(), np.abs(steps).max()

        self.assertGreater(min(largest()), 5)
        self.assertLess(max(largest(max_delta_step=0.5)), 0.5001)

    @installed('sklearn')
    @installed('lightgbm')
    def test_lgbm_classifier_takes_it_as_its_objective(self):
        import lightgbm
        from sklearn.base import clone

        X, y = rare_positives()
        focal = FocalObjective(0.25, 2)
        start = focal.initial_score(y)
        for weight in (None, np.where(y == 1, 3.0, 1.0)):
            model = clone(lightgbm.LGBMClassifier(objective=focal, max_delta_step=1, n_jobs=1, verbose=-1))
            model.fit(X, y, init_score=np.full(len(y), start), sample_weight=weight)
            data = lightgbm.Dataset(X, y, weight=weight, init_score=np.full(y.size, start))
            settings = {'objective': focal.lightgbm, 'max_delta_step': 1, 'num_threads': 1, 'verbose': -1}
            trained = lightgbm.train(settings, data, 100)
            raw = model.predict(X, raw_score=True)
            np.testing.assert_array_equal(raw, trained.predict(X))
            self.assertLess(focal.mean_loss(y, start + raw, weight), 0.1 * focal.mean_loss(y, np.full(y.size, start), weight))
            p = focal.probability(start + raw)
            self.assertGreater(p[y == 1].min(), p[y == 0].max())

    @installed('sklearn')
    @installed('xgboost')
    def test_xgb_classifier_takes_it_as_its_objective(self):
        import xgboost
        from sklearn.base import clone
        from sklearn.model_selection import GridSearchCV
        from sklearn.multiclass import OneVsRestClassifier

        X, y = rare_positives()
        focal = FocalObjective(0.25, 2)
        start = focal.initial_score(y)
        for weight in (None, np.where(y == 1, 3.0, 1.0)):
            model = clone(
                xgboost.XGBClassifier(
                    objective=focal,
                    base_score=focal.probability(start),
                    max_delta_step=1,
                    min_child_weight=0.1,
                    eval_metric=focal.mean_loss,
                    n_jobs=1,
                )
            )
            model.fit(X, y, sample_weight=weight, eval_set=[(X, y)], verbose=False)
            data = xgboost.DMatrix(X, y, weight=weight)
            settings = {'base_score': start, 'max_delta_step': 1, 'min_child_weight': 0.1, 'nthread': 1}
            trained = xgboost.train(settings, data, 100, obj=focal.xgboost)
            raw = model.predict(X, output_margin=True)
            np.testing.assert_allclose(raw, trained.predict(data, output_margin=True), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(model.predict_proba(X)[:, 1], focal.probability(raw), rtol=1e-5)
            self.assertLess(focal.mean_loss(y, raw, weight), 0.1 * focal.mean_loss(y, np.full(y.size, start), weight))
            told = model.evals_result()['validation_0']['mean_loss'][-1]
            self.assertAlmostEqual(focal.mean_loss(y, raw), told, delta=1e-6)
        search = GridSearchCV(model, {'objective': [FocalObjective(0.25, 2), FocalObjective(0.25, 0.5)]}, cv=2)
        self.assertGreater(search.fit(X, y).best_score_, 0.95)
        thirds = np.digitize(X[:, 0], [-0.4, 0.4])
        several = OneVsRestClassifier(xgboost.XGBClassifier(objective=focal, min_child_weight=0.1, n_jobs=1))
        self.assertGreater(several.fit(X, thirds).score(X, thirds), 0.99)

    @installed('sklearn')
    @installed('lightgbm')
    @installed('xgboost')
    def test_the_lines_of_the_readme_run(self):
        import lightgbm
        import xgboost

        X, y = rare_positives()
        text = (Path(__file__).resolve().parents[1] / 'README.md').read_text()
        lines = next(code for code in re.findall(r'```python\n(.*?)```', text, re.S) if 'FocalObjective' in code)
        names = {'X': X, 'y': y, 'numpy': np, 'FocalObjective': FocalObjective}
        names['LGBMClassifier'] = functools.partial(lightgbm.LGBMClassifier, n_jobs=1, verbose=-1)
        names['XGBClassifier'] = functools.partial(xgboost.XGBClassifier, n_jobs=1)
        recipes = lines.strip().split('\n\n')
        self.assertEqual(len(recipes), 3)
        exec(recipes[0], names)
        for recipe in recipes[1:]:
            exec(recipe, names)
            p = names['p']
            self.assertTrue(((p > 0) & (p < 1)).all())
            self.assertGreater(p[y == 1].mean(), 0.7)
            self.assertLess(p[y == 0].mean(), 0.05)


if __name__ == '__main__':
    unittest.main()
