// Lesson 6: what goes wrong in a training and what helps, in deep networks and from many starts.
import { ask } from "../api.js";
import { NetworkBench } from "./troubles_network.js";
import { StartsBench } from "./troubles_starts.js";

export class TroublesLesson {
  static lesson = "troubles";
  static concepts = 4;
  static tasks = 4;
  static formula = "aᵢ = xᵢ₋₁ Wᵢ + bᵢ,  xᵢ = φ(aᵢ)\n∂L/∂xᵢ₋₁ = (∂L/∂xᵢ ⊙ φ′(aᵢ)) Wᵢᵀ";

  constructor(bench, tell) {
    this.begin(bench, tell);
  }

  async begin(bench, tell) {
    try {
      const { cases, parts } = await ask("lessons/troubles");
      new NetworkBench(bench, tell, cases, parts);
      new StartsBench(bench, tell);
    } catch (error) {
      tell(error);
    }
  }
}
