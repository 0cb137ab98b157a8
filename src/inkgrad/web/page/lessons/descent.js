// Lesson 4: gradient descent on surfaces, on real digits, and beside theory.
import { ask } from "../api.js";
import { DigitsBench } from "./descent_digits.js";
import { SurfaceBench } from "./descent_surface.js";
import { TheoryBench } from "./descent_theory.js";

export class DescentLesson {
  static lesson = "descent";
  static concepts = 4;
  static tasks = 4;
  static formula = "w ← w − η · ∂f/∂w";

  constructor(bench, tell) {
    this.begin(bench, tell);
  }

  async begin(bench, tell) {
    try {
      const { surfaces, batches } = await ask("lessons/surfaces");
      new SurfaceBench(bench, tell, surfaces);
      new DigitsBench(bench, tell, batches);
      new TheoryBench(bench, tell);
    } catch (error) {
      tell(error);
    }
  }
}
