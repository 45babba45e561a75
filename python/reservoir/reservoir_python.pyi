# Written by `make generate` from the compiled module. Do not edit.
"""gr-reservoir: C++ blocks and detectors"""

from typing import Any, Callable, Iterator, Optional, Sequence, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from gnuradio import digital, gr


class known_symbols:
    """Which symbols of a burst are known, and what they are: a prefix, a midamble, blocks that come
    back.

    Symbols are counted from the first of the burst. All streams know the same ones.
    """

    def __init__(
        self,
        values: ArrayLike,
        positions: Optional[Sequence[int]] = None,
        mask: Optional[Sequence[bool]] = None,
        period: int = 0,
    ) -> None:
        """values: (N,) or (streams, N), NaN where a symbol is not known; with positions or mask one
        value for each known symbol
        positions: of the known symbols, ascending from 0 on
        mask: a bool for each symbol, True where it is known
        period: symbols after which the pattern begins again, until the burst ends; 0: it does not
        Raises ValueError naming the parameter, its value and its range.
        """

    def values(self) -> NDArray[numpy.complex64]:
        """The pattern, NaN where a symbol is not known."""

    def periodic(self) -> bool:
        """Whether the pattern comes back."""

    def __len__(self) -> int: ...

    def num_known(self) -> int:
        """Known symbols of the pattern."""

    def length(self, payload_len: int) -> int:
        """Symbols of a burst of which payload_len are not known."""

    def training(self, length: int) -> NDArray[numpy.complex64]:
        """What is known of a burst of this length, up to its last known symbol."""

class training_report:
    """What a training found; NaN where a figure does not apply. Attributes, or as a mapping:
    report['mse'], dict(report). Arrays are complex64 or float64.

    mse: leave-one-out mean |e|² on the pilots, before unbiasing
    evm_db: leave-one-out error of the unbiased output over the pilots' rms, in dB
    seconds: wall-clock time of the training
    delay: decision delay in symbols: what a stream's symbols are held back
    regularization: λ, relative to the number of pilots and unit-power features
    noise_variance: variance of the unbiased output around the symbol, in pilot units
    bad_samples: samples so far that were not finite and were taken as zero
    channel: impulse response at the sample rate, one row per input, of several streams those of
    the first stream first; empty if it was not estimated
    poles: recurrent poles; empty where there are none
    timing: symbols that the channel begins early, as estimated
    carrier_offset: cycles per symbol, of what was derotated
    warp: transmitter's gain of each amplitude ring
    residuals: forward-model residual of each pass over a frame, input scale
    refits: passes after the first until the one that was kept
    tracked: whether the channel was followed block by block
    level_steps: how often the power jumped within the frame, as where the receiver's gain did,
    and that was taken out
    confidence: estimated probability that a frame was received without a symbol error; NaN where
    nothing was decided
    condition_number: of the readout's normal equations; of rnn one per epoch: of the Gauss–Newton
    matrix, over singular values of the Jacobian above 1e-9 of the largest, NaN where it was not
    computed

    Of rnn, one entry per epoch, before its step:
    loss: mean |e|² over the pilots that are trained on, of symbols scaled to unit power
    held_out_loss: the same over those held out; NaN where there are none
    gradient_norm: Euclidean, before clipping
    eigenvalues: of the recurrent weights, one row per epoch; NaN where not computed
    jacobian_rank: number of the singular values that count
    recurrent_condition_number: of the recurrent weights
    gram_condition_number: of the states' Gram matrix
    best_epoch: whose weights were kept; the number of epochs: after the last step
    restart: which restart was kept
    diverged: weights became non-finite, the last finite ones were kept
    cancelled: the training was cut short by cancel()
    """

    @property
    def mse(self) -> float:
        """leave-one-out mean |e|² on the pilots, before unbiasing"""

    @property
    def evm_db(self) -> float:
        """leave-one-out error of the unbiased output over the pilots' rms, in dB"""

    @property
    def seconds(self) -> float:
        """wall-clock time of the training"""

    @property
    def delay(self) -> int:
        """decision delay in symbols: what a stream's symbols are held back"""

    @property
    def regularization(self) -> float:
        """λ, relative to the number of pilots and unit-power features"""

    @property
    def noise_variance(self) -> float:
        """variance of the unbiased output around the symbol, in pilot units"""

    @property
    def bad_samples(self) -> int:
        """samples so far that were not finite and were taken as zero"""

    @property
    def channel(self) -> NDArray[numpy.complex64]:
        """impulse response at the sample rate, one row per input, of several streams those of the
        first stream first; empty if it was not estimated
        """

    @property
    def poles(self) -> NDArray[numpy.complex64]:
        """recurrent poles; empty where there are none"""

    @property
    def timing(self) -> int:
        """symbols that the channel begins early, as estimated"""

    @property
    def carrier_offset(self) -> float:
        """cycles per symbol, of what was derotated"""

    @property
    def warp(self) -> NDArray[numpy.complex64]:
        """transmitter's gain of each amplitude ring"""

    @property
    def residuals(self) -> NDArray[numpy.float64]:
        """forward-model residual of each pass over a frame, input scale"""

    @property
    def refits(self) -> int:
        """passes after the first until the one that was kept"""

    @property
    def tracked(self) -> bool:
        """whether the channel was followed block by block"""

    @property
    def level_steps(self) -> int:
        """how often the power jumped within the frame, as where the receiver's gain did, and that
        was taken out
        """

    @property
    def confidence(self) -> float:
        """estimated probability that a frame was received without a symbol error; NaN where nothing
        was decided
        """

    @property
    def condition_number(self) -> NDArray[numpy.float64]:
        """of the readout's normal equations; of rnn one per epoch: of the Gauss–Newton matrix, over
        singular values of the Jacobian above 1e-9 of the largest, NaN where it was not computed
        """

    @property
    def loss(self) -> NDArray[numpy.float64]:
        """mean |e|² over the pilots that are trained on, of symbols scaled to unit power"""

    @property
    def held_out_loss(self) -> NDArray[numpy.float64]:
        """the same over those held out; NaN where there are none"""

    @property
    def gradient_norm(self) -> NDArray[numpy.float64]:
        """Euclidean, before clipping"""

    @property
    def eigenvalues(self) -> NDArray[numpy.complex64]:
        """of the recurrent weights, one row per epoch; NaN where not computed"""

    @property
    def jacobian_rank(self) -> NDArray[numpy.int32]:
        """number of the singular values that count"""

    @property
    def recurrent_condition_number(self) -> NDArray[numpy.float64]:
        """of the recurrent weights"""

    @property
    def gram_condition_number(self) -> NDArray[numpy.float64]:
        """of the states' Gram matrix"""

    @property
    def best_epoch(self) -> int:
        """whose weights were kept; the number of epochs: after the last step"""

    @property
    def restart(self) -> int:
        """which restart was kept"""

    @property
    def diverged(self) -> bool:
        """weights became non-finite, the last finite ones were kept"""

    @property
    def cancelled(self) -> bool:
        """the training was cut short by cancel()"""

    def __getitem__(self, key: str) -> Any: ...

    def keys(self) -> list: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def __contains__(self, __arg0: str) -> bool: ...

    def __repr__(self) -> str: ...

    @staticmethod
    def fields() -> list:
        """The figures that there are: a list of dicts with name, type, text and of_descent."""

    @staticmethod
    def progress_fields() -> list:
        """Likewise of what set_progress tells of each epoch."""

class detector:
    """A receiver that is trained on known pilots and detects symbols; no flowgraph needed.

    received[k*sps] is the sample at the instant of symbol k; output k is symbol k, in the units
    of the pilots. Arrays are complex64, one row per antenna or stream, 1-D where there is one.
    """

    def kind(self) -> str:
        """Name of the kind of detector."""

    def num_inputs(self) -> int:
        """Antennas."""

    def num_outputs(self) -> int:
        """Streams."""

    def look_ahead(self) -> int:
        """Symbols beyond symbol k that its decision may need."""

    def look_back(self) -> int:
        """Symbol periods before the first pilot that receive() makes use of where it gets them
        (history).
        """

    def takes_unknown_pilots(self) -> bool:
        """Whether there may be unknown symbols between the known ones."""

    def trained(self) -> bool:
        """Whether it was trained."""

    def bad_samples(self) -> int:
        """Samples so far that were not finite and were taken as zero."""

    def fit(
        self,
        received: ArrayLike,
        pilots: ArrayLike,
        sps: int = 1,
    ) -> training_report:
        """Trains on known symbols; returns a training_report.

        received: (num_inputs, samples); may run past the pilots, look-ahead uses it
        pilots: (num_outputs, P) known symbols, any finite values; fir, esn and rnn take NaN for
        those between them that are not known
        sps: samples per symbol, 1 to 64
        Raises ValueError if the shapes do not fit or the pilots are not finite.
        """

    def detect(self, received: ArrayLike, sps: int = 1) -> NDArray[numpy.complex64]:
        """Detects the symbols that follow; streaming, state goes on from call to call.

        Look-ahead is held back: fewer symbols than instants may come out; the pieces joined are
        the whole. Raises RuntimeError before the first fit.
        """

    def receive(
        self,
        received: ArrayLike,
        pilots: Union[ArrayLike, known_symbols],
        sps: int = 1,
        payload_len: int = -1,
        history: Optional[ArrayLike] = None,
        soft: bool = False,
        prior_llrs: Optional[ArrayLike] = None,
        constellation: Optional[digital.constellation] = None,
    ) -> Any:
        """One whole frame: fit, then detect; returns P + payload_len symbols.

        pilots: as in fit, or known_symbols: then payload_len counts the symbols of the frame that
        are not known, and known_symbols.length(payload_len) come
        payload_len: symbols after the pilots; -1: all that was given. Samples after the frame
        serve as look-ahead only; where there are none, zeros do.
        history: (num_inputs, samples) that came before the first pilot, where they are known; the
        last look_back() symbol periods are used. Samples that are not there count as zeros.
        soft: also return the log-likelihood ratios of the symbols' bits, float32 (num_outputs,
        symbols, bits), or (symbols, bits) where there is one stream: log P(1)/P(0), the most
        significant bit first, as calc_soft_dec of the constellation orders them. They are
        extrinsic (prior_llrs is not in them) and limited to +-8, which is what bits of known
        symbols have.
        prior_llrs: the same of what is known beforehand, of every symbol; limited to +-20; None:
        nothing
        constellation: whose bits these are, as constellation.base(); needed the first time by
        detectors that have none of their own, which is all but configured_esn.
        """

    def reset(self) -> None:
        """Clears the state, keeps what was trained."""

    def report(self) -> training_report:
        """The last training's report."""

    def save(self, path: str) -> None:
        """Writes parameters and what was trained to a file. Raises RuntimeError
        if it cannot be written or could not be loaded.
        """

    def set_tracking(self, constellation: Optional[digital.constellation]) -> None:
        """After the next fit, go on with training by decisions of this constellation; None: off."""

    def set_channel(self, channel: ArrayLike) -> None:
        """From the next training on, the channel is known instead of estimated.

        channel: impulse response at the sample rate, one row per antenna, its first tap at the
        symbol's instant; scale and phase are fitted to the pilots. Empty: estimate it. Raises
        ValueError where the kind of detector has no use for it.
        """

    def set_power_delay_profile(self, powers: Sequence[float]) -> None:
        """From the next training on, mean powers of the channel's taps, one per symbol. Raises
        ValueError where the detector has no use for them.
        """

    def cancel(self, cancel: bool = True) -> None:
        """While set, a fit that takes many epochs stops after the present one and keeps what it has,
        later ones after their first. Does not wait for a fit that is running.
        """

    def cancelled(self) -> bool:
        """Whether cancel is set."""

    def set_progress(self, progress: Optional[Callable[[dict], None]]) -> None:
        """Calls progress(dict) once per epoch of a training by descent, on the thread that fits;
        None: nothing is called.

        Keys: restart, epoch, epochs, loss, held_out_loss, gradient_norm, condition_number,
        eigenvalues (complex64; empty where not computed). Of the detector's methods only cancel()
        may be called. An exception ends the fit, which then has changed nothing.
        """

    def clone(self) -> detector:
        """A detector of its own with the same parameters and what was trained, its state reset."""

    def adopt(self, trained: detector) -> None:
        """Takes over what a clone was trained to be meanwhile, with its report; the state is reset.
        Raises ValueError if it is of another kind or shape, or untrained.
        """

class fir(detector):
    """Least-squares FIR equalizer, trained on the training sequence of each frame: the baseline that
    every network must beat.

    Use it where time is short, on short channels at high SNR, and to compare.

    Training symbols that repeat themselves, such as a preamble that sends each bit three times,
    leave parts of the band without training, and noise fills them. Take
    reservoir.random_pilots(...) where you can, or set Prior to The delayed input; the Configured
    ESN suffers least.
    """

    def __init__(
        self,
        num_taps: int = 24,
        delay: int = 12,
        regularization: float = -1.0,
        update: str = 'ls',
        forgetting: float = 1.0,
        num_inputs: int = 1,
        num_outputs: int = 1,
        prior: str = 'zero',
    ) -> None:
        """num_taps: length of the filter; 1 to 1024 symbol periods
        delay: decision delay; 0 to 1023 symbols, or -1: the one with the least leave-one-out
        error
        regularization: ridge λ of the least squares, relative to the number of pilots and
        unit-power features; at least 0, or -1: the one with the least leave-one-out error
        update: 'ls': every pilot counts the same; 'rls': the latest count most; one of 'ls',
        'rls'
        forgetting: factor by which a symbol's weight shrinks with each later one, for 'rls' and
        where the readout adapts after training; above 0.5, at most 1
        num_inputs: antennas; 1 to 64
        num_outputs: streams; 1 to 64
        prior: what the ridge draws the readout to, and so what it does where coloured pilots
        leave parts of the band without training; one of 'zero', 'delay'

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

    def taps(self) -> NDArray[numpy.complex64]:
        """Trained taps for samples of unit power, one row per output: input-major, newest sample
        first. Empty before training.
        """

class esn(detector):
    """Echo state network (ESN): a fixed random recurrent network; only its readout is trained, by
    least squares, on the training sequence of each frame.

    A random network is about as good as an FIR filter of the same window: compare with the FIR
    Equalizer. Window and delay matter more than neurons.

    Training symbols that repeat themselves, such as a preamble that sends each bit three times,
    leave parts of the band without training, and noise fills them. Take
    reservoir.random_pilots(...) where you can, or set Prior to The delayed input; the Configured
    ESN suffers least.
    """

    def __init__(
        self,
        num_neurons: int = 32,
        window: int = 24,
        delay: int = 12,
        spectral_radius: float = 0.4,
        sparsity: float = 0.0,
        input_scaling: float = 0.05,
        activation: str = 'magnitude_tanh',
        regularization: float = -1.0,
        update: str = 'ls',
        forgetting: float = 1.0,
        seed: int = 1,
        num_inputs: int = 1,
        num_outputs: int = 1,
        prior: str = 'zero',
    ) -> None:
        """num_neurons: neurons of the network; 1 to 1024
        window: what the network and the readout see; 1 to 1024 symbol periods
        delay: decision delay; 0 to 1023 symbols, or -1: the one with the least leave-one-out
        error
        spectral_radius: largest eigenvalue modulus of the recurrent weights; 0 to 2
        sparsity: fraction of the recurrent weights that are zero; 0 to below 1
        input_scaling: norm of each neuron's input weights, for samples of unit power; 0 to 100
        activation: of the neurons; with 'identity' the network is a bank of one-pole filters; one
        of 'magnitude_tanh', 'split_tanh', 'identity'
        regularization: ridge λ of the least squares, relative to the number of pilots and
        unit-power features; at least 0, or -1: the one with the least leave-one-out error
        update: 'ls': every pilot counts the same; 'rls': the latest count most; one of 'ls',
        'rls'
        forgetting: factor by which a symbol's weight shrinks with each later one, for 'rls' and
        where the readout adapts after training; above 0.5, at most 1
        seed: of the random weights; the same network on every machine; at least 0
        num_inputs: antennas; 1 to 64
        num_outputs: streams; 1 to 64
        prior: what the ridge draws the readout to, and so what it does where coloured pilots
        leave parts of the band without training; one of 'zero', 'delay'

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

    def activation(self) -> str:
        """The activation's name."""

    def recurrent_weights(self) -> NDArray[numpy.complex64]:
        """W, (num_neurons, num_neurons)."""

    def input_weights(self, sps: int = 1) -> NDArray[numpy.complex64]:
        """U, (num_neurons, num_inputs * window * sps): input-major, newest sample first."""

    def readout(self) -> NDArray[numpy.complex64]:
        """Trained readout, one row per output: [neurons; window]. Empty before training."""

    def states(self, received: ArrayLike, sps: int = 1) -> NDArray[numpy.complex64]:
        """States (num_neurons, symbols) for samples that are already scaled, from zero on."""

class configured_esn(detector):
    """Echo state network (ESN) with poles that are configured from the channel, which is estimated
    from the pilots, instead of drawn at random. Several hypotheses (survivors) of the past
    decisions are kept and fed back, and a whole frame is received again with its decisions as
    training (refits). A carrier offset, a saturating amplifier or receiver, a receiver's gain
    that jumps, and fading within the frame are found on the way. Several streams, from one or
    more antennas, are decided together.

    The one to take for frames on a single carrier.

    Where nothing is known but the pilots, set Training Sequence, Constellation and, for whole
    frames, Payload Length; the rest may stay as it is. Without a Payload Length there are no
    refits; the symbols of a stream with Decision Feedback are constellation points and come about
    72 symbols late.

    With a Payload Length a clean constellation is no proof of a low symbol error rate: each
    symbol lies near the point that was decided, right or wrong. Believe the Symbol Error Meter,
    or the packets.
    """

    def __init__(
        self,
        constellation: Optional[digital.constellation] = None,
        channel_len: int = 0,
        feedback: bool = True,
        survivors: int = 8,
        refits: int = 2,
        prior_weight: float = 3.0,
        poles: str = 'estimate',
        power_delay_profile: Sequence[float] = [],
        num_neurons: int = 32,
        receiver_linearization: bool = True,
        max_frequency_offset: float = 0.005,
        phase_noise: float = 3e-05,
        tracking: str = 'auto',
        rotation: float = 0.0,
        num_inputs: int = 1,
        num_outputs: int = 1,
        output: str = 'decided',
    ) -> None:
        """constellation: what is decided, at the scale of the training sequence or at unit power
        channel_len: taps of the channel, the first at the symbol's instant; at most half the
        pilots are used; 1 to 64 symbols, or 0: timing and length by the Bayesian information
        criterion
        feedback: on, decisions are fed back; off, the trained network is one linear filter and
        fits any waveform
        survivors: hypotheses that are kept; time grows with them; 1 to 256
        refits: passes over a frame with its own decisions as training; the pass that explains the
        samples best is kept; 0 to 16
        prior_weight: weight of the channel's model against the pilots in the first pass; refits
        choose theirs by leave-one-out; 0 to 1000000
        poles: from the channel's estimate, or from its statistics without an estimate; one of
        'estimate', 'statistics'
        power_delay_profile: mean powers of the channel's taps, for poles from statistics; at
        least 0
        num_neurons: poles that are placed from statistics; 1 to 64
        receiver_linearization: fit and undo a saturating receiver: a limiter behind the noise, or
        one in front of it (multi-level constellations, one sample per symbol)
        max_frequency_offset: carrier offset that is searched; 0: none; 0 to 0.5 cycles per symbol
        phase_noise: variance of the phase steps; 0: no phase loop; 0 to 0.1 rad² per symbol
        tracking: follow a fading channel over a frame: 'auto' where one channel does not explain
        it, 'off', or 'on': always tried; one of 'auto', 'off', 'on'
        rotation: by which the constellation turns from symbol to symbol: pi/2 for pi/2-BPSK, MSK
        and GMSK, pi/4 for pi/4-DQPSK (points of QPSK); pilots and symbols are given without it;
        -3.1416 to 3.1416 radians per symbol
        num_inputs: antennas; 1 to 64
        num_outputs: streams; 1 to 8
        output: symbols that come out with decision feedback: what was decided, in a frame with
        what a matched filter makes of the residual, or what the readout made of the samples
        before that was decided; one of 'decided', 'forward'

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

    def points(self) -> NDArray[numpy.complex64]:
        """Points of the constellation, as given."""

    def labels(self) -> list[int]:
        """Labels of the points."""

    def filter(self) -> NDArray[numpy.complex64]:
        """The FIR filter that the trained network is, for samples of unit power: one row per antenna
        and sampling phase, oldest sample first. Empty before training.
        """

    def filter_start(self) -> int:
        """Symbols before symbol n where its filter begins."""

    def feedback_weights(self) -> NDArray[numpy.complex64]:
        """Weights of the last decisions, newest first."""

class rnn(detector):
    """Recurrent neural network (RNN) of which everything is trained, on the training sequence of
    each frame, by back-propagation through time and gradient descent.

    Compare with the ESN Equalizer, whose network is fixed: with few pilots that does better, at a
    tenth of the cost or less.

    Training blocks the flowgraph, unless it is in the background: about 0.05 ms per epoch for 32
    neurons and 64 pilots, and 0.7 ms for the eigenvalues.
    """

    def __init__(
        self,
        num_neurons: int = 32,
        window: int = 8,
        delay: int = 4,
        activation: str = 'split_tanh',
        optimizer: str = 'adam',
        learning_rate: float = 0.003,
        momentum: float = 0.9,
        epochs: int = 300,
        gradient_clip: float = 0.0,
        spectral_radius: float = 0.9,
        train_poles: bool = True,
        seed: int = 1,
        num_inputs: int = 1,
        num_outputs: int = 1,
        input_scaling: float = 0.5,
        skip: bool = False,
        warm_up: int = 0,
        held_out: float = 0.0,
        patience: int = 0,
        restarts: int = 1,
        condition_every: int = 0,
        eigenvalues_every: int = 1,
    ) -> None:
        """num_neurons: neurons of the network; 1 to 1024
        window: what the network sees at once; 1 to 1024 symbol periods
        delay: decision delay; 0 to 1023 symbols
        activation: of the neurons; with 'identity' the network is a linear filter, unstable where
        a pole leaves the unit circle; one of 'magnitude_tanh', 'split_tanh', 'identity'
        optimizer: as torch has them; one of 'gd', 'momentum', 'rmsprop', 'adam'
        learning_rate: step, for samples and symbols of unit power; above 0, at most 100
        momentum: of the optimizer 'momentum'; 0 to below 1
        epochs: steps of descent; 0 keeps the weights as they are; 0 to 1000000
        gradient_clip: largest norm of a gradient, longer ones are shortened to it; 0: none; at
        least 0
        spectral_radius: largest eigenvalue modulus of the recurrent weights at first; 0 to 2
        train_poles: whether the recurrent weights are trained; if not, their eigenvalues stay
        equal to the last bit
        seed: of the first weights; the recurrent and input weights are those of the esn of this
        seed; at least 0
        num_inputs: antennas; 1 to 64
        num_outputs: streams; 1 to 64
        input_scaling: norm of each neuron's input weights at first; 0 to 100
        skip: whether the readout sees the window too; its weights are 0 at first
        warm_up: first pilots that do not count in the loss (one always does): the window knows
        nothing from before the first pilot; 0 to 1000000
        held_out: share of the pilots that are not trained on, spread evenly; 0 to 0.5
        patience: stop after so many epochs without a lower held-out loss, and keep the weights of
        the lowest; 0: all epochs, the last weights; 0 to 1000000
        restarts: trainings from seed, seed + 1, …; the one with the lowest held-out loss (without
        held_out: loss) is kept; 1 to 1000
        condition_every: a condition number in the report every so many epochs, which takes up to
        seconds each; 0: never; 0 to 1000000
        eigenvalues_every: eigenvalues of the recurrent weights in the report every so many
        epochs; 0: never; 0 to 1000000

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

    def set_weights(
        self,
        recurrent: ArrayLike,
        input: ArrayLike,
        readout: ArrayLike,
        skip: Optional[ArrayLike] = None,
    ) -> None:
        """Weights that the following fits start from (their first restart), for samples scaled to
        unit power, giving symbols in the units of the pilots.

        recurrent: W, (num_neurons, num_neurons)
        input: U, (num_neurons, num_inputs * window * sps): input-major, newest sample first
        readout: W_out, (num_outputs, num_neurons)
        skip: D, (num_outputs, num_inputs * window * sps); None without skip
        Raises ValueError if the shapes do not fit or a weight is not finite.
        """

    def start_from(self, network: esn) -> None:
        """The following fits start from this trained esn and its readout. Needs skip=True and the
        same num_neurons, window, delay, activation, num_inputs and num_outputs; else raises
        ValueError.
        """

    def start_from_seed(self) -> None:
        """The following fits start from the seed again."""

    def weights(self) -> tuple:
        """(W, U, W_out, D) as trained, as set_weights takes them; before training those that a fit
        would start from (for one sample per symbol and pilots of unit power).
        """

class ofdm_grid:
    """Where an OFDM frame has pilots, data and nothing, as digital.ofdm_carrier_allocator_cvc lays
    it out.

    A frame is sync words, known as a whole, and then symbols with pilots and data. Symbol n after
    the sync words has set n + symbols_skipped of the occupied carriers, of the pilot carriers and
    of the pilot symbols, each taken from its list in turns. Carriers that are not in them are
    zero. A pilot symbol of zero is known as well: so an antenna is silent while another one sends
    its pilot.
    """

    def __init__(
        self,
        fft_len: int,
        cp_len: Union[int, Sequence[int]],
        num_tx: int = 1,
        *,
        occupied_carriers: Sequence[Sequence[int]],
        pilot_carriers: Sequence[Sequence[int]] = [],
        pilot_symbols: Union[Sequence[Sequence[complex]], Sequence[Sequence[Sequence[complex]]]] = [],
        sync_words: Union[Sequence[Sequence[complex]], Sequence[Sequence[Sequence[complex]]]] = [],
        symbols_skipped: int = 0,
        shifted: bool = True,
    ) -> None:
        """fft_len: carriers, 2 to 65536
        cp_len: samples of the cyclic prefix, 0 to fft_len; a list is taken in turns
        num_tx: streams, 1 to 8
        occupied_carriers: lists of those with data, counted from DC, -1 is the one below
        pilot_carriers: lists of those with pilots
        pilot_symbols: [set][k] for all streams, or [stream][set][k]
        sync_words: [word][carrier] for all streams, or [stream][word][carrier], fft_len values
        each
        symbols_skipped: of the sets, before the first symbol
        shifted: vectors of carriers have DC in their middle, as GNU Radio's OFDM blocks have them
        by default; False: first
        Raises ValueError naming the parameter, its value and what is allowed.
        """

    def fft_len(self) -> int:
        """Carriers."""

    def cp_len(self) -> list[int]:
        """Samples of the symbols' prefixes, in turns."""

    def num_tx(self) -> int:
        """Streams."""

    def num_sync_words(self) -> int:
        """Symbols in front."""

    def known(self, num_symbols: int) -> tuple:
        """known(num_symbols) -> (values, mask)

        Of the frame's first symbols, sync words among them: complex64 and bool, (num_tx,
        num_symbols, fft_len). Where the mask is False the value is zero and not known.
        """

class ofdm_detector:
    """A receiver of OFDM frames, trained on the carriers that are known; no flowgraph needed.

    Symbols are in the units of the pilots.
    """

    def kind(self) -> str:
        """Name of the kind of detector."""

    def fft_len(self) -> int:
        """Carriers."""

    def cp_len(self) -> list[int]:
        """Samples of the symbols' cyclic prefixes, in turns."""

    def num_rx(self) -> int:
        """Antennas."""

    def num_tx(self) -> int:
        """Streams."""

    def receive(
        self,
        received: ArrayLike,
        pilots: Union[ArrayLike, ofdm_grid],
        num_symbols: int = -1,
        soft: bool = False,
    ) -> Any:
        """One whole frame: the data symbols, (num_tx, data symbols, fft_len), those that are not
        known as a whole. Known carriers have what is known of them; all are in the grid's order,
        with pilots in natural order.

        received: (num_rx, samples), from the first symbol's cyclic prefix on
        pilots: an ofdm_grid; or (num_tx, symbols, fft_len) pilots of the first symbols, carriers
        in natural order, zero on the unused ones: then all carriers that they use have data in
        the symbols behind them
        num_symbols: of the frame, pilots and sync words among them; -1: all that are there
        Raises ValueError if the shapes do not fit.

        soft: also return the log-likelihood ratios of the bits, float32 (num_tx, data symbols,
        fft_len, bits): log P(1)/P(0), the most significant bit first, as calc_soft_dec of the
        constellation has them; 0 on carriers that are known.
        """

    def fit(
        self,
        received: ArrayLike,
        pilots: Union[ArrayLike, ofdm_grid],
        num_symbols: int = -1,
    ) -> training_report:
        """Receives a frame and returns the training_report.

        received: (num_rx, samples), from the first symbol's cyclic prefix on
        pilots: an ofdm_grid; or (num_tx, symbols, fft_len) pilots of the first symbols, carriers
        in natural order, zero on the unused ones: then all carriers that they use have data in
        the symbols behind them
        num_symbols: of the frame, pilots and sync words among them; -1: all that are there
        Raises ValueError if the shapes do not fit.
        """

    def takes_carriers(self) -> bool:
        """Whether equalize() is for it: it needs no samples in time."""

    def equalize(
        self,
        carriers: ArrayLike,
        initial_taps: Optional[ArrayLike] = None,
        pilots: Optional[Union[ArrayLike, ofdm_grid]] = None,
        soft: bool = False,
    ) -> Any:
        """One whole frame behind an FFT: carriers instead of samples, as GNU Radio's OFDM blocks
        have them. Of ofdm_lmmse and ofdm_configured; the others are trained on samples.

        carriers: (num_rx, symbols, fft_len), the FFT of each symbol at each antenna, in natural
        order or, with a grid, in the grid's; the FFT's window may begin within the cyclic prefix
        initial_taps: (num_tx, num_rx, fft_len), by what a stream's symbols come to an antenna on
        each carrier, in the same order; zero or not finite where it is not known. The channel is
        a few taps in time, at most fft_len / 4 and 128, so that noisy ones are smoothed. None:
        the channel is estimated from the pilots. ofdm_lmmse takes the taps as they are;
        ofdm_configured fits the channel to its decisions, and follows it and the carrier's phase
        pilots: as of receive(). None: nothing is known, there are data on all carriers that have
        initial taps, in the constellation's units, and what the nearest points leave of the first
        symbol is noise
        soft: as of receive()
        Returns the data symbols, (num_tx, data symbols, fft_len), in the same order. Raises
        ValueError if the shapes do not fit.
        """

    def trained(self) -> bool:
        """Whether it was trained."""

    def bad_samples(self) -> int:
        """Samples so far that were not finite and were taken as zero."""

    def report(self) -> training_report:
        """The last training's report; of channel, rows num_tx * antenna + stream."""

    def save(self, path: str) -> None:
        """Writes parameters and report to a file. Raises RuntimeError
        if it cannot be written or could not be loaded.
        """

class ofdm_lmmse(ofdm_detector):
    """Model-based OFDM receiver: the channel by least squares, carrier by carrier the linear
    estimate of least error, or the most likely points: the baseline of the other OFDM detectors.

    Use it while the prefix is as long as the channel and no amplifier saturates: with maximum
    likelihood it is then as good as any, and the fastest.

    What a transmitter's amplifier adds is told from noise, as it comes through the channel.
    """

    def __init__(
        self,
        fft_len: int = 64,
        cp_len: Sequence[int] = [16],
        num_rx: int = 1,
        num_tx: int = 1,
        channel_len: int = 0,
        detection: str = 'lmmse',
        constellation: Optional[digital.constellation] = None,
    ) -> None:
        """fft_len: carriers, of which some may be unused; 2 to 65536
        cp_len: samples of the symbols' cyclic prefixes, in turns; 0 to 65536 samples
        num_rx: receiving antennas; 1 to 8
        num_tx: streams that are sent; 1 to 8
        channel_len: taps of the channel; 1 to 4096 samples, or 0: by the Bayesian information
        criterion
        detection: what comes out; one of 'lmmse', 'ml'
        constellation: of the data, for detection = 'ml'

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

class ofdm_configured(ofdm_detector):
    """OFDM receiver by a model of amplifiers and channel: what the model says that they add to the
    carriers is taken away before the points are decided, in turns.

    For links with an amplifier that saturates, with a channel longer than the cyclic prefix, or
    with impairments: interference in a narrow band or from one direction, I/Q imbalance, phase
    noise, Doppler, a receiver's gain that jumps. On others it is what ofdm_lmmse is with
    detection = 'ml'. This is a model-based canceller and not a reservoir: nothing recurrent is
    left of it.

    It needs at least one OFDM symbol that is known on every carrier for the amplifier's model to
    start from, and for impairments to be found.
    """

    def __init__(
        self,
        fft_len: int = 64,
        cp_len: Sequence[int] = [16],
        num_rx: int = 1,
        num_tx: int = 1,
        constellation: Optional[digital.constellation] = None,
        channel_len: int = 0,
        amplifier_order: int = -1,
        refits: int = 2,
    ) -> None:
        """fft_len: carriers, of which some may be unused; 2 to 65536
        cp_len: samples of the symbols' cyclic prefixes, in turns; 0 to 65536 samples
        num_rx: receiving antennas; 1 to 8
        num_tx: streams that are sent; 1 to 8
        constellation: of the data; QPSK if there is none
        channel_len: taps of the channel; 1 to 4096 samples, or 0: by the Bayesian information
        criterion, up to the prefix, at most 96
        amplifier_order: coefficients of the amplifiers' polynomial beyond the linear one: 1 is
        cubic, 2 quintic; 0 to 3, or -1: by the Bayesian information criterion, up to 2
        refits: times that the model is fitted to the decisions; 0 to 16

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

class ofdm_esn(ofdm_detector):
    """Windowed echo state network for OFDM: a fixed random recurrent network turns the antennas'
    samples into those that were sent; only its readout is trained.

    For prefixes that are shorter than the channel, where it needs no model. It knows nothing of
    carriers, and with a long enough prefix ofdm_lmmse has fewer errors.

    A linear filter of the same window is about as good.
    """

    def __init__(
        self,
        fft_len: int = 64,
        cp_len: Sequence[int] = [16],
        num_rx: int = 1,
        num_tx: int = 1,
        num_neurons: int = 32,
        window: int = 32,
        delay: int = -1,
        spectral_radius: float = 0.4,
        input_scaling: float = 0.3,
        regularization: float = -1.0,
        constellation: Optional[digital.constellation] = None,
        seed: int = 1,
        refits: int = 0,
        correct_carriers: bool = False,
        attention: bool = False,
        classifier: bool = False,
    ) -> None:
        """fft_len: carriers, of which some may be unused; 2 to 65536
        cp_len: samples of the symbols' cyclic prefixes, in turns; 0 to 65536 samples
        num_rx: receiving antennas; 1 to 8
        num_tx: streams that are sent; 1 to 8
        num_neurons: neurons of the network; 1 to 1024
        window: what the network and the readout see of each antenna; 2 to 1024 samples
        delay: samples of the window that are later than the output; 0 to 1023 samples, or -1:
        5/16 or half of the window, by cross-validation
        spectral_radius: largest eigenvalue modulus of the recurrent weights; 0 to 2
        input_scaling: norm of each neuron's input weights, for samples of unit power; 0 to 100
        regularization: ridge λ of the least squares, relative to the number of pilots and
        unit-power features; at least 0, or -1: the one with the least error by cross-validation
        constellation: of the data, for refits > 0 or a classifier
        seed: of the random weights; the same network on every machine; at least 0
        refits: times that the readout is trained on the whole frame's decisions; 0 to 16
        correct_carriers: on, what the network's output lacks on each carrier is added, by the
        known carriers
        attention: on, how much a carrier's neighbours count for its correction is trained, where
        that helps
        classifier: on, a small network trained on the pilots decides, where it does so better
        than the nearest point; a symbol that is decided otherwise becomes the point

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

class rcnet(ofdm_detector):
    """Cascade of OFDM detectors: each stage sees the antennas and the samples that the stage before
    it makes of them. Without stages of its own it has two ofdm_esn, the second with a window of 8
    samples, a delay of 4 and an input scaling of 0.5.

    For links on which ofdm_esn is good: two stages make up to 14 % fewer errors, most where
    pilots are few.

    Reconstructed from Zhou et al. (RCNet, 2021), who published no code.

    Stages are copied. A later stage has num_rx + num_tx inputs. rcnet(stages) has the first one's
    fft_len, cp_len, num_rx and num_tx.
    """

    def __init__(
        self,
        fft_len: int = 64,
        cp_len: Sequence[int] = [16],
        num_rx: int = 1,
        num_tx: int = 1,
        stages: Sequence[ofdm_detector] = [],
    ) -> None:
        """fft_len: carriers, of which some may be unused; 2 to 65536
        cp_len: samples of the symbols' cyclic prefixes, in turns; 0 to 65536 samples
        num_rx: receiving antennas; 1 to 8
        num_tx: streams that are sent; 1 to 8
        stages: list of OFDM detectors, of which the first has num_rx antennas, each later one
        num_rx + num_tx; [] for two ofdm_esn

        Raises ValueError naming the parameter, its value and its range.
        """

    @staticmethod
    def parameters() -> list:
        """What there is to say of the constructor's parameters, in their order: a list of dicts with
        name, type, default, text, unit, range and more.
        """

def load(path: str) -> Union[detector, ofdm_detector]:
    """Reads a detector that save() wrote: trained, its state reset. Raises RuntimeError."""

def detectors() -> dict:
    """The kinds of detectors there are: a dict from name to class."""

def detector_kinds() -> list:
    """What there is to say of each kind: a list of dicts with name, title, family, keywords, brief,
    details, caution, trains_in_epochs, adapts, adapts_when, commands (name, value, text),
    parameters and rules (parameter, what is allowed, condition in Python).
    """

def ofdm_detector_kinds() -> list:
    """The same of the detectors of OFDM frames."""

class ofdm_equalizer_configured(digital.ofdm_equalizer_1d_pilots):
    """Equalizer for digital.ofdm_frame_equalizer_vcvc, in place of digital.ofdm_equalizer_simpledfe.

    The channel is a few taps in time and not one number per carrier, so that all carriers tell
    about each. Where they begin and how many there are is found from the initial taps (Bayesian
    information criterion). Each symbol's common phase comes from its pilots or from the symbol
    before, then from decisions; the taps follow pilots and decisions with the memory that
    predicts best.

    Symbols come out soft, in the constellation's units; pilots as they are known. Hand base() to
    the block.
    """

    def __init__(
        self,
        fft_len: int,
        occupied_carriers: Sequence[Sequence[int]] = [],
        pilot_carriers: Sequence[Sequence[int]] = [],
        pilot_symbols: Sequence[Sequence[complex]] = [],
        symbols_skipped: int = 0,
        input_is_shifted: bool = True,
        constellation: Optional[digital.constellation] = None,
    ) -> None:
        """fft_len: carriers, 2 to 65536
        occupied_carriers: lists of those with data, counted from DC, -1 is the one below; empty:
        all
        pilot_carriers: lists of those with pilots; they win over data
        pilot_symbols: lists of a value per pilot carrier, not zero
        symbols_skipped: of the sets, before the first symbol, 0 to 1048576; 1 behind a header of
        one symbol
        input_is_shifted: DC is in the middle of a symbol, at fft_len // 2; False: first
        constellation: of the data, as constellation.base(); QPSK if there is none
        Raises ValueError naming the parameter, its value and what is allowed.
        """

def viterbi_equalizer(
    received: Sequence[complex],
    num_symbols: int,
    channel: Sequence[complex],
    points: Sequence[complex],
    past: Sequence[complex],
    future: Sequence[complex] = [],
) -> list[int]:
    """Maximum-likelihood sequence estimation (Forney, 1972): indices of points.

    received: on-time samples of the symbols wanted, and of as many known ones after them;
    channel: impulse response; points: constellation; past: symbols before the first, newest
    first; future: known symbols after the last, in order. Raises ValueError where points to the
    power of taps exceed 2**20.
    """

class equalizer(gr.block, gr.basic_block):
    """Equalizer block: trains a detector on each frame's training sequence and detects the symbols.

    One symbol out for every sps samples in, the training symbols included; output k counted from
    the training tag is symbol k. Every training tag trains again; of two closer together than the
    training symbols the later one holds, and the earlier training is counted in
    abandoned_trainings.

    Message port 'report': a dict for each training, with the fields of training_report and
    offset, trainings, abandoned_trainings, truncated_frames, skipped_trainings, hurried_frames;
    and warning, a string, where there is one. 'command': dicts {'freeze': bool}, {'reset': True},
    {'training_sequence': vector}.

    Four mistakes are told once in a run, in the log, in warnings() and in the next report: no
    training tag, though the detector is not trained; a training error above -1.5 dB; training
    tags closer together than the training; a training sequence so coloured that least squares
    suffers.
    """

    def __init__(
        self,
        detector: detector,
        sps: int = 1,
        training_sequence: ArrayLike = ...,
        training_start_tag: str = 'corr_est',
        payload_len: int = 0,
        adapt_after_training: bool = False,
        constellation: Optional[digital.constellation] = None,
        background_training: bool = False,
        workers: int = 1,
        use_history: bool = False,
        hurry_above: int = 0,
        known_symbols: Optional[known_symbols] = None,
        tag_at: int = 0,
        soft_output: bool = False,
    ) -> None:
        """detector: what is trained; belongs to this block from now on
        sps: samples per symbol, 1 to 64
        training_sequence: known symbols, (P,) or (streams, P)
        training_start_tag: key of the tag on the first training sample
        payload_len: symbols after the training that make up a frame; 0: a stream
        adapt_after_training: go on training on decisions; needs a constellation
        constellation: for these decisions, and the soft output's bits where the detector has none
        of its own, as constellation.base()
        background_training: train in a thread of its own while the symbols are detected with the
        training before; for rnn, which takes long
        workers: threads that receive frames, 1 to 64; more than one need payload_len > 0, and
        neither adapt_after_training nor background_training
        use_history: the samples before the training tag are used where the stream has them,
        instead of counting as zeros; needs payload_len > 0, without background_training
        hurry_above: samples that wait behind a frame, 0 to 2**30, above which its refits are left
        out; 0: never; needs payload_len > 0, without background_training, and a detector that
        makes refits
        known_symbols: instead of a training_sequence, known symbols anywhere in the frame;
        payload_len is then the number of its symbols that are not known
        tag_at: symbol of the training sequence or the frame that carries the tag, counted from 0;
        everything is held back by so many symbols
        soft_output: as many ports more as there are streams, after theirs: for each symbol the
        log-likelihood ratios log P(1)/P(0) of its bits, a vector of floats, ordered as
        calc_soft_dec of the constellation; +-8 where a symbol is known, 0 before the first
        training
        Raises ValueError naming the parameter, its value and its range.
        """

    def set_training_sequence(self, training_sequence: ArrayLike) -> None:
        """New training symbols, from the next tag on."""

    def training_sequence(self) -> NDArray[numpy.complex64]:
        """The training symbols."""

    def set_adapt_after_training(self, adapt: bool) -> None: ...

    def adapt_after_training(self) -> bool: ...

    def set_freeze(self, freeze: bool) -> None:
        """True: tags restart grid and state, but nothing is trained any more."""

    def freeze(self) -> bool: ...

    def reset_training(self) -> None:
        """Pass samples through until the next training."""

    def trainings(self) -> int:
        """Trainings so far."""

    def abandoned_trainings(self) -> int:
        """Trainings cut short by a newer training tag or the end of the stream, or refused
        by the detector.
        """

    def truncated_frames(self) -> int:
        """Frames whose payload was cut short, by a tag or by a radio's overrun (a tag rx_time in a
        frame).
        """

    def skipped_trainings(self) -> int:
        """In the background: trainings that never began because newer pilots came."""

    def hurried_frames(self) -> int:
        """Frames received without refits, as too many samples waited."""

    def bad_samples(self) -> int:
        """Samples that were not finite."""

    def report(self) -> training_report:
        """The last training's report."""

    def warnings(self) -> list[str]:
        """Mistakes told in this run, a list of sentences: the last of each kind; that of the
        training sequence stays.
        """

class ofdm_equalizer(gr.block, gr.basic_block):
    """OFDM equalizer block: trains a detector on the known carriers of each frame and puts out its
    data symbols.

    Complex samples in, a stream per antenna; a vector of fft_len carriers for each data symbol
    out, a stream per transmitter. A tag on input 0 marks the first sample of a frame's first
    cyclic prefix; an integer as its value is the frame's number of symbols behind the sync words
    or pilots. Samples between frames are dropped. A tag within a frame, a radio's overrun
    (rx_time) and the end of the stream cut a frame short: its whole symbols come out. A tag
    'ofdm_sync_carr_offset' on a frame's first sample is its carrier offset in carriers, which is
    taken out.

    Two mistakes are told once in a run, in the log, in warnings() and in the report's field
    warning: no frame tag comes, or the known carriers are not what was sent.

    Message port 'command': a dict or a pair, {'num_data_symbols': int} as set_num_data_symbols,
    or what the detector knows beside it.

    Message port 'report': a dict for each frame, with the fields of training_report and offset,
    frames, truncated_frames, dropped_frames, bad_lengths and erased_frames; no figures of a frame
    that is erased.
    """

    def __init__(
        self,
        detector: ofdm_detector,
        pilots: Union[ArrayLike, ofdm_grid],
        num_data_symbols: int,
        frame_start_tag: str = 'frame_start',
        length_tag_key: str = 'frame_len',
        workers: int = 1,
    ) -> None:
        """detector: what is trained, an ofdm_detector; belongs to this block from now on
        pilots: an ofdm_grid; or (num_tx, symbols, fft_len) pilots of the first symbols, carriers
        in natural order, zero on the unused ones: then all carriers that they use have data in
        the symbols behind them
        num_data_symbols: symbols behind the sync words or pilots, 1 to 16384, where the tag's
        value does not say
        frame_start_tag: key of the tag on a frame's first sample
        length_tag_key: key of the tag on a frame's first vector, the number of its vectors; '':
        none
        Raises ValueError naming the parameter, its value and its range.
        """

    def set_num_data_symbols(self, num_data_symbols: int) -> None:
        """Symbols behind the sync words or pilots where the tag does not say, 1 to 16384, from the
        next tag on. May be called while a flowgraph runs.
        """

    def num_data_symbols(self) -> int:
        """Symbols behind the sync words or pilots where the tag does not say."""

    def set_pilots(self, pilots: Union[ArrayLike, ofdm_grid]) -> None:
        """Another grid, or other pilots, from the next tag on. May be called while a flowgraph runs."""

    def frames(self) -> int:
        """Frames received so far, truncated ones among them."""

    def truncated_frames(self) -> int:
        """Frames that were cut short and received as far as they go."""

    def dropped_frames(self) -> int:
        """Frames cut so short that there was nothing to receive."""

    def bad_lengths(self) -> int:
        """Tags with a number of data symbols that is out of range."""

    def bad_samples(self) -> int:
        """Samples that were not finite."""

    def report(self) -> training_report:
        """The last frame's report."""

    def warnings(self) -> list[str]:
        """What was told in the log in this run."""

class block_fading_cc(gr.sync_block, gr.block, gr.basic_block):
    """A matrix of tapped delay lines with new random taps for each frame.

    A frame starts at sample 0 and at each tag redraw_tag on input 0, or every frame_len
    samples where that is above 0. Its first sample on output 0 carries a tag 'channel'
    with the taps.
    """

    def __init__(
        self,
        power_delay_profile: Sequence[float] = [],
        taps: Any = None,
        num_tx: int = 1,
        num_rx: int = 1,
        redraw_tag: str = 'frame_start',
        frame_len: int = 0,
        doppler: float = 0.0,
        seed: int = 1,
        normalize: bool = True,
        frequency_offset: float = 0.0,
        doppler_spectrum: str = 'clarke',
        path_delays: Sequence[float] = [],
    ) -> None:
        """power_delay_profile: mean powers of 1 ... 1024 taps, scaled to sum 1; or
        taps: fixed taps, complex64 (L,) or (num_rx, num_tx, L)
        num_tx, num_rx: inputs and outputs, 1 ... 16
        redraw_tag: key of the tag that starts a frame; empty: no tag does
        frame_len: samples per frame, 0 ... 2**40; 0: frames start at tags
        doppler: largest Doppler frequency in cycles/sample, 0 ... 0.5; of a Gaussian spectrum
        twice its standard deviation
        seed: of the taps, at least 0
        normalize: scale each drawn impulse response to unit energy
        frequency_offset: carrier offset in cycles/sample, -0.5 ... 0.5
        doppler_spectrum: 'clarke', waves from all sides, or 'gaussian', paths of an ionosphere
        path_delays: in samples, 0 ... 1000, one for each power; all then comes 8 samples later;
        empty: tap l comes l samples late
        """

    def set_taps(self, taps: Any) -> None:
        """Fix the taps from now on, (L,) or (num_rx, num_tx, L)."""

    def set_power_delay_profile(self, power_delay_profile: Sequence[float]) -> None:
        """Draw taps of this profile from the next frame on."""

    def set_frequency_offset(self, frequency_offset: float) -> None:
        """Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on."""

    def taps(self) -> NDArray[numpy.complex64]:
        """The taps at the first sample of the present frame, complex64 (num_rx, num_tx, L)."""

def random_pilots(
    constellation: digital.constellation,
    num_pilots: int,
    seed: int = 1,
) -> NDArray[numpy.complex64]:
    """Random points of a constellation at unit mean power, complex64."""

class frame_source(gr.sync_block, gr.block, gr.basic_block):
    """Source of frames: a preamble if wanted, known pilots, random symbols, a gap of zeros.

    The first pilot carries the tags frame_tag, a dictionary {frame, pilots, payload}, and
    training_tag, 1.0.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        pilots: ArrayLike,
        payload_len: int = 512,
        gap: int = 16,
        num_frames: int = 0,
        seed: int = 1,
        frame_tag: str = 'frame_start',
        training_tag: str = 'corr_est',
        preamble: ArrayLike = ...,
    ) -> None:
        """constellation: its points are sent at unit mean power
        pilots: complex values, sent as they are
        payload_len: random symbols per frame
        gap: zeros after the payload
        num_frames: frames before the stream ends; 0: no end
        seed: of the random symbols, at least 0
        frame_tag, training_tag: keys of the tags; empty: no tag
        preamble: complex values sent before the pilots; burst_preamble() is what frame_sync looks
        for
        """

    def payload_indices(self, frame: int) -> NDArray[numpy.int32]:
        """Indices of the constellation points that a frame carries."""

    def pilots(self) -> NDArray[numpy.complex64]:
        """The pilots of each frame."""

    def points(self) -> NDArray[numpy.complex64]:
        """The constellation's points at unit mean power."""

    def preamble(self) -> NDArray[numpy.complex64]:
        """The symbols before the pilots."""

    def payload_length(self) -> int:
        """Symbols of a frame's payload."""

    def frame_length(self) -> int:
        """Samples of a frame with its gap."""

    def reset(self) -> None:
        """Start again at the first sample of frame 0."""

def burst_preamble() -> NDArray[numpy.complex64]:
    """The 124 symbols, all +1 or -1, that frame_sync looks for; complex64."""

class frame_sync(gr.block, gr.basic_block):
    """Finds bursts by their preamble, takes their carrier offset out, tags the first pilot.

    A burst is burst_preamble(), pilots, payload, shaped with a root-raised-cosine pulse. Samples
    come out as they go in, except for the carrier offset. The tag's dictionary and message port
    'report': cfo (cycles/sample), snr_db (Es/N0), amplitude, peak, time, frame.
    """

    def __init__(
        self,
        sps: int = 2,
        excess_bandwidth: float = 0.25,
        threshold: float = 0.2,
        max_frequency_offset: float = 0.05,
        sample_rate: float = 1.0,
        tag_key: str = 'training_start',
    ) -> None:
        """sps: samples per symbol, 2 to 16
        excess_bandwidth: of the pulse, above 0, at most 1
        threshold: on the repetition metric, above 0 and below 1
        max_frequency_offset: cycles/sample, 0 to 0.5
        sample_rate: samples per second, for the tag's time
        tag_key: of the tag, not empty
        Raises ValueError naming the parameter, its value and its range.
        """

    def frames(self) -> int:
        """Bursts found since the flowgraph was started."""

    def bad_samples(self) -> int:
        """Samples that were not finite."""

class frame_gate(gr.hier_block2_pb, gr.basic_block):
    """Between a front end that cannot wait and a receiver that may be slower.

    Lets whole frames pass: frame_len samples from each training tag on, which may overlap.
    Samples between frames are left out. Frames wait in a queue of max_frames. When it is full,
    either the newest frame is dropped and counted, so that the input never waits (drop=True, for
    radios), or the input waits (drop=False, for files). The tag is passed on, on the first sample
    of its frame; other tags are not. A last frame that the end of the stream cuts short is filled
    up with zeros. A frame that a radio's overrun cuts (a tag rx_time behind its first sample) is
    left out and counted.
    """

    def __init__(
        self,
        frame_len: int,
        training_tag: str = 'training_start',
        max_frames: int = 32,
        drop: bool = True,
    ) -> None:
        """frame_len: samples, 1 to 2**22; an equalizer needs (pilots + payload_len + 48) * sps
        training_tag: key of the tag on the first pilot, not empty
        max_frames: frames that may wait, 1 to 65536
        drop: drop frames instead of making the input wait
        """

    def passed(self) -> int:
        """Frames let in."""

    def dropped(self) -> int:
        """Frames dropped."""

    def truncated(self) -> int:
        """Frames cut by an overrun."""

class amplifier:
    """The physics of power_amplifier_cc without a flowgraph: a(samples) compresses an array.

    With g = 10**(-input_backoff_db/20) and the model's characteristic F the output is
    output_gain * F(g*x)/g for an input x of unit mean power, the same bits as the block's.
    Models: Rapp (1991), Saleh (IEEE Trans. Commun. 29, 1981), memory polynomial (Ding et al.,
    IEEE Trans. Commun. 52, 2004). Calls continue one stream: the memory taps see the samples
    of the call before.
    """

    def __init__(
        self,
        model: str = 'rapp',
        input_backoff_db: float = 3.0,
        smoothness: float = 2.0,
        saleh: Sequence[float] = [2.1587, 1.1517, 4.0033, 9.104],
        coefficients: Sequence[Sequence[complex]] = ...,
        output_gain: float = 1.0,
    ) -> None:
        """model: 'rapp' (Rapp 1991), 'saleh' (Saleh 1981), 'memory_polynomial' or 'linear'
        input_backoff_db: in dB, -60 ... 100
        smoothness: Rapp's p, 0.1 ... 100
        saleh: [alpha_a, beta_a, alpha_phi, beta_phi]
        coefficients: complex, a row for each odd order 1, 3, 5, ... (1 ... 8), a column for
        each memory tap (1 ... 64)
        output_gain: amplitude factor at the output, above 0, at most 1e6
        """

    @staticmethod
    def default_coefficients() -> list[list[complex]]:
        """A mild polynomial of order 5 with 3 memory taps."""

    def mean_output_power(
        self,
        input_backoff_db: float,
        points: Sequence[complex] = [],
    ) -> float:
        """Mean output power for independent inputs of unit mean power, for output_gain = 1.
        points: the input's equiprobable values; none: a circular Gaussian input.
        """

    def set_operating_point(
        self,
        input_backoff_db: float,
        output_gain: float,
    ) -> None:
        """Set back-off (dB, -60 ... 100) and output gain (above 0, at most 1e6) between the same two
        samples.
        """

    def model(self) -> str:
        """The model's name."""

    def input_backoff_db(self) -> float:
        """The input back-off in dB."""

    def output_gain(self) -> float:
        """The amplitude factor at the output."""

    def __call__(self, samples: ArrayLike) -> NDArray[numpy.complex64]:
        """samples: complex64 of any shape, taken row by row as one stream; what is not finite
        counts as zero
        returns: complex64 of the same shape
        """

    def forget(self) -> None:
        """The samples before the next one are zero."""

class fading:
    """The physics of block_fading_cc without a flowgraph: h(samples) filters an array.

    A matrix of tapped delay lines whose taps are drawn for each frame: Rayleigh block fading
    (Proakis, Digital Communications, ch. 13), with doppler > 0 moving as a sum of 16 waves
    (Clarke, 1968; Jakes, 1974). A frame begins with the first sample, every frame_len samples,
    and where begin_frame() is called. Calls continue one stream, with the same bits as the
    block's, however it is cut.
    """

    def __init__(
        self,
        power_delay_profile: Sequence[float] = [],
        taps: Any = None,
        num_tx: int = 1,
        num_rx: int = 1,
        frame_len: int = 0,
        doppler: float = 0.0,
        seed: int = 1,
        normalize: bool = True,
        frequency_offset: float = 0.0,
        doppler_spectrum: str = 'clarke',
        path_delays: Sequence[float] = [],
    ) -> None:
        """power_delay_profile: mean powers of 1 ... 1024 taps, scaled to sum 1; or
        taps: fixed taps, complex64 (L,) or (num_rx, num_tx, L)
        num_tx, num_rx: inputs and outputs, 1 ... 16
        frame_len: samples per frame, 0 ... 2**40; 0: only begin_frame() begins one
        doppler: largest Doppler frequency in cycles/sample, 0 ... 0.5; of a Gaussian spectrum
        twice its standard deviation
        seed: of the taps, at least 0
        normalize: scale each drawn impulse response to unit energy
        frequency_offset: carrier offset in cycles/sample, -0.5 ... 0.5
        doppler_spectrum: 'clarke', waves from all sides, or 'gaussian', paths of an ionosphere
        path_delays: in samples, 0 ... 1000, one for each power; all then comes 8 samples later;
        empty: tap l comes l samples late
        """

    def set_taps(self, taps: Any) -> None:
        """Fix the taps from now on, (L,) or (num_rx, num_tx, L)."""

    def set_power_delay_profile(self, power_delay_profile: Sequence[float]) -> None:
        """Draw taps of this profile from the next frame on."""

    def set_frequency_offset(self, frequency_offset: float) -> None:
        """Set the carrier offset in cycles/sample, -0.5 ... 0.5; the phase goes on."""

    def taps(self) -> NDArray[numpy.complex64]:
        """The taps at the first sample of the present frame, complex64 (num_rx, num_tx, L)."""

    def __call__(self, samples: ArrayLike) -> NDArray[numpy.complex64]:
        """samples: complex64, (n,) for one input, or (num_tx, n); what is not finite counts as
        zero
        returns: complex64 (num_rx, n); (n,) for one output where samples are (n,)
        """

    def begin_frame(self) -> None:
        """The next sample is a frame's first: draw its taps."""

class packet_decoder(gr.sync_block, gr.block, gr.basic_block):
    """Symbols to packets: the num_pilots + payload_len symbols from each training tag on.

    PDUs come out on the message port "pdus": the data, and a dictionary with sequence, evm_db (to
    the nearest points, dB), and what the tag's dictionary holds: snr_db, cfo, amplitude, time
    .... After each frame the message port "report" sends a dictionary {frames, packets,
    crc_failures, lost, truncated, evm_db, snr_db, cfo}. lost counts the numbers that are missing
    between packets that arrived, whatever became of them: packet error rate = lost / (lost +
    packets). A gap of 32768 numbers or more is another transmitter's start and counts nothing. A
    frame that a new tag, a radio's overrun (a tag rx_time within it) or the end cuts short is
    truncated, and gives no packet.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        num_pilots: int = 64,
        payload_len: int = 512,
        code: str = 'none',
        training_tag: str = 'training_start',
    ) -> None:
        """constellation: one complex number per symbol, 2**n points
        num_pilots: symbols from the tag on before the payload, 0 to 2**17
        payload_len: symbols per packet, 1 to 2**17
        code: "none", "cc" or "ldpc:FILE", as packet_format
        training_tag: key of the tag on the first pilot, not empty
        Raises ValueError naming the parameter, its value and its range.
        """

    def frames(self) -> int:
        """Whole frames decoded."""

    def packets(self) -> int:
        """Packets whose CRC was right."""

    def crc_failures(self) -> int:
        """Frames whose CRC was wrong."""

    def lost(self) -> int:
        """Numbers missing between packets that arrived."""

    def truncated(self) -> int:
        """Frames cut short."""

    def packet_error_rate(self) -> float:
        """lost / (lost + packets); NaN before the first packet."""

    def take_means(self) -> tuple:
        """Mean SNR (dB), CFO (cycles/sample) and EVM (dB) of the frames since the last call; NaN
        where none of them has such a figure.
        """

    def set_handler(self, handler: Any) -> None:
        """Call handler(data, metadata) for each packet as well, in the block's thread; None:
        nothing.

        Where a flowgraph ends by itself, GNU Radio may end a block that only has message ports
        before it has taken the last PDUs; a handler gets them all.
        """

class packet_encoder(gr.sync_block, gr.block, gr.basic_block):
    """Packets to bursts: preamble, pilots, the packet's symbols, a gap of zeros.

    Packets come as PDUs (message port "pdus") of bytes, at most capacity() of them, or by send().
    They wait in a queue of max_queue; a PDU that finds it full, or is too long, is dropped,
    logged and counted. pmt.PMT_EOF on the port, or finish(), ends the stream after the packets
    that wait. Whenever the queue runs empty a tail of 1024 zeros follows, so that receivers that
    look ahead give the last packet; then the block sends zeros if continuous, as transmitters
    that must not starve need it, or waits. packet_format tells how a packet lies in its payload.

    Tags: burst_start with the packet's number (uint64) on a burst's first symbol; frame_start
    with a dictionary {frame, pilots, payload} on its first pilot.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        pilots: ArrayLike,
        payload_len: int = 512,
        code: str = 'none',
        gap: int = 80,
        continuous: bool = False,
        max_queue: int = 64,
    ) -> None:
        """constellation: one complex number per symbol, 2**n points
        pilots: complex values that receivers know, 1 to 2**17 of them, sent as they are
        payload_len: symbols per packet, 1 to 2**17
        code: "none", "cc" or "ldpc:FILE", as packet_format
        gap: zeros after a burst, in symbols, 0 to 2**17
        continuous: send zeros while there is no packet
        max_queue: packets that wait, 1 to 65536
        Raises ValueError naming the parameter, its value and its range.
        """

    def capacity(self) -> int:
        """Bytes of data that a packet holds."""

    def packets(self) -> int:
        """Packets sent."""

    def refused(self) -> int:
        """PDUs that were too long or held no bytes."""

    def dropped(self) -> int:
        """PDUs that found the queue full."""

    def send(self, data: bytes, timeout: Optional[float] = None) -> None:
        """Queue bytes as one packet, from any thread; waits for a place in the queue.

        data: bytes, at most capacity() of them
        timeout: seconds to wait, None: without end; queue.Full is raised after that
        """

    def finish(self) -> None:
        """End the stream when the packets that wait are sent."""

class packet_format:
    """How a packet lies in the payload of a burst: its bytes to symbols, and symbols to bytes.

    A packet is a header (length of the data and sequence number, 16 bits each, most significant
    byte first), the data, zeros up to the capacity, and the CRC-32 of all that. Its bits, the
    most significant of a byte first, are whitened with x^9 + x^5 + 1, coded if wanted,
    interleaved, and become the points of the constellation that bear these labels, scaled to unit
    mean power.

    Codes are decoded from soft decisions. "cc" is a terminated convolutional code of rate 1/2 and
    constraint length 7 (gr-fec, polynomials 79 and 109). "ldpc:FILE" is the code whose
    parity-check matrix an alist file has: FILE is its path, or the name, with or without .alist,
    of one that GNU Radio installs in share/gnuradio/fec/ldpc. The payload carries as many words
    of it as fit; bits that are left over are those of the whitening.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        payload_len: int = 512,
        code: str = 'none',
    ) -> None:
        """constellation: one complex number per symbol, 2**n points
        payload_len: symbols per packet, 1 to 2**17
        code: "none", "cc" or "ldpc:FILE"
        Raises ValueError naming the parameter, its value and its range.
        """

    @property
    def points(self) -> Any:
        """The constellation's points by their labels, at unit mean power."""

    @property
    def payload_len(self) -> Any:
        """Symbols per packet."""

    @property
    def code(self) -> Any:
        """"none", "cc" or "ldpc:FILE"."""

    @property
    def bits_per_symbol(self) -> Any:
        """Bits of a symbol's label."""

    @property
    def capacity(self) -> Any:
        """Bytes of data that a packet holds."""

    def encode(self, data: bytes, sequence: int = 0) -> NDArray[numpy.complex64]:
        """The symbols, complex64 (payload_len,), of a packet.

        data: bytes, at most capacity of them
        sequence: 0 to 65535
        """

    def decode(self, symbols: ArrayLike) -> Any:
        """(data, sequence) of a packet, or None where its CRC is wrong.

        symbols: complex (payload_len,), at the scale of encode
        """

    def decode_ratios(self, ratios: ArrayLike) -> tuple:
        """(packet, a_posteriori) of log-likelihood ratios log p(1)/p(0).

        ratios: (payload_len, bits_per_symbol), the most significant bit of a symbol's label
        first; NaN says nothing; limited to +-80
        packet: (data, sequence), or None where the CRC is wrong
        a_posteriori: float32 of the same shape. With code="cc" by a BCJR decoder (Bahl et al.,
        1974), with "ldpc:FILE" by the sum-product algorithm; what the bit's own ratio said
        included; bits that carry nothing are certain
        """

    def decode_with_evm(self, symbols: ArrayLike) -> tuple:
        """What decode returns, and the error vector magnitude to the nearest points.

        The latter in dB of the constellation's power, NaN where a symbol is not finite.
        """

def packet_capacity(
    constellation: digital.constellation,
    payload_len: int = 512,
    code: str = 'none',
) -> int:
    """Bytes of data that a packet holds.

    With n bits per symbol: payload_len * n // 8 - 8 without a code, (payload_len * n // 2 - 6) //
    8 - 8 with code="cc"; 120 and 55 for 512 symbols of QPSK. With an LDPC code of k information
    bits in c: (payload_len * n // c) * k // 8 - 8.

    constellation, payload_len, code: as packet_format
    """

class coded_receiver:
    """A receiver that equalizes and decodes a frame in turns (turbo equalization: Douillard et al.,
    1995); no flowgraph needed.

    First the detector receives the frame, in a hurry where it makes refits, and the packet is
    decoded from its symbols. Only where its CRC is wrong do the turns begin, and only where these
    fail is the frame received once more, with refits and all, so no packet is lost that a decoder
    behind the equalizer gets. The turns: channel and noise from pilots and decisions; a linear
    equalizer of least mean squared error that knows what the decoder expects (Tuechler, Singer,
    Koetter, 2002); the decoder, for LDPC codes the sum-product algorithm, else BCJR (Bahl et al.,
    1974), until its CRC is right; channel and noise again from what it says (expectation
    maximisation).

    Antennas and sampling phases are combined, each with its own noise. A carrier offset that the
    detector reports is taken out, and the phase that is left followed. The channel is one for the
    whole frame or, where the detector reports that it tracked it, one for every 64 symbols.
    """

    def __init__(
        self,
        detector: detector,
        packet_format: packet_format,
        iterations: int = 2,
    ) -> None:
        """detector: of one stream; belongs to this receiver from now on. Its pilots and symbols are
        at the scale of the format's points
        packet_format: with a code
        iterations: how often the decoder's ratios go back to the equalizer, 0 to 32
        Raises ValueError naming the parameter, its value and its range.
        """

    def receive(self, received: ArrayLike, pilots: ArrayLike, sps: int = 1) -> dict:
        """One frame: a dictionary {data, sequence, evm_db, iterations, gained}.

        received: complex64 (samples,) or (num_inputs, samples), from the first symbol on; samples
        after the frame serve as look-ahead
        pilots: complex64 (P,), what is known of the frame, NaN between for what is not; the
        payload is what is not known and what follows
        sps: samples per symbol, 1 to 64
        data: bytes, None where the CRC is wrong
        sequence: 0 to 65535, None where the CRC is wrong
        evm_db: of the detector's symbols around the nearest points, NaN if not finite
        iterations: times that the decoder's ratios went back to the equalizer
        gained: True for a packet that the turns brought: it is not in the detector's symbols
        """

    @property
    def iterations(self) -> Any:
        """How often the decoder's ratios may go back."""

    @property
    def detector(self) -> Any:
        """The detector, with the last frame's report."""

class packet_receiver(gr.block, gr.basic_block):
    """Samples to packets, equalized and decoded in turns: a coded_receiver for a flowgraph.

    Takes the place of an equalizer and the packet_decoder behind it, and gets every packet that
    these get. The sample that carries the training tag is the instant of the first training
    symbol; a frame is the training and the packet's symbols, and is received once it and 48
    symbols of look-ahead are there. Input 0's training tags count; there is a complex input per
    antenna.

    PDUs come out on the message port "pdus" and a dictionary for each frame on "report", as from
    packet_decoder; the report's further entries are iterations, the times that the decoder's
    ratios went back to the equalizer, and gained, whether the turns brought the packet. A frame
    that a new tag, a radio's overrun (a tag rx_time within it) or the end cuts short is
    truncated, and gives no packet.

    The packets do not depend on how the scheduler cuts the stream, nor on workers.
    """

    def __init__(
        self,
        receiver: coded_receiver,
        sps: int,
        training_sequence: ArrayLike,
        training_tag: str = 'training_start',
        workers: int = 1,
    ) -> None:
        """receiver: a coded_receiver; belongs to this block from now on
        sps: samples per symbol, 1 to 64
        training_sequence: complex64 (P,), known symbols; NaN for those between them that are not
        known, with a detector that takes them
        training_tag: key of the tag on the first training sample, not empty
        workers: threads that receive frames, 1 to 64; 1: the block's own
        Raises ValueError naming the parameter, its value and its range.
        """

    def frames(self) -> int:
        """Whole frames received."""

    def packets(self) -> int:
        """Packets whose CRC was right."""

    def gained(self) -> int:
        """Packets that the turns brought: they are not in the detector's symbols."""

    def crc_failures(self) -> int:
        """Frames whose CRC was wrong."""

    def lost(self) -> int:
        """Numbers missing between packets that arrived."""

    def truncated(self) -> int:
        """Frames cut short."""

    def packet_error_rate(self) -> float:
        """lost / (lost + packets); NaN before the first packet."""

    def take_means(self) -> tuple:
        """Mean SNR (dB), CFO (cycles/sample) and EVM (dB) of the frames since the last call; NaN
        where none of them has such a figure.
        """

    def set_handler(self, handler: Any) -> None:
        """Call handler(data, metadata) for each packet as well, in the block's thread; None:
        nothing.
        """

def convolutional_bcjr(
    ratios: ArrayLike,
    polynomials: Sequence[int] = [79, 109],
    constraint_len: int = 7,
) -> tuple:
    """Soft-input soft-output decoder of a terminated convolutional code of rate 1/2 (Bahl, Cocke,
    Jelinek, Raviv, 1974): a-posteriori ratios (coded, info).

    ratios: float32 (2 (num_info + constraint_len - 1),), log p(1)/p(0) of the coded bits, finite
    polynomials: two different ones as gr-fec's cc_encoder takes them, 1 to 2**constraint_len - 1
    constraint_len: 3 to 9
    coded: of all coded bits, what ratios said included
    info: float32 (num_info,)
    Raises ValueError naming the parameter, its value and its range.
    """

class phase_loop_cc(gr.sync_block, gr.block, gr.basic_block):
    """Turns an equalizer's symbols back by the phase that their decisions show.

    A second-order decision-directed loop that starts again at each frame's tag; for fir, esn and
    rnn. The configured ESN has a loop of its own.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        loop_bandwidth: float = 0.01,
        training_tag: str = 'training_start',
    ) -> None:
        """constellation: what is decided, at unit mean power
        loop_bandwidth: in rad/symbol, 0 to 0.5; 0: symbols pass as they are
        training_tag: key of the tag on a frame's first symbol; empty: no restart
        """

    def set_loop_bandwidth(self, loop_bandwidth: float) -> None:
        """From the next symbol on; 0 to 0.5."""

    def phase(self) -> float:
        """Of the last symbol, in rad."""

    def frequency(self) -> float:
        """In rad/symbol, -0.1 to 0.1."""

class power_amplifier_cc(gr.sync_block, gr.block, gr.basic_block):
    """Baseband model of a power amplifier that compresses.

    With g = 10**(-input_backoff_db/20) and the model's characteristic F the output is
    output_gain * F(g*x)/g for an input x of unit mean power. The output power is not
    normalised: see mean_output_power.
    """

    def __init__(
        self,
        model: str = 'rapp',
        input_backoff_db: float = 3.0,
        smoothness: float = 2.0,
        saleh: Sequence[float] = [2.1587, 1.1517, 4.0033, 9.104],
        coefficients: Sequence[Sequence[complex]] = ...,
        output_gain: float = 1.0,
    ) -> None:
        """model: 'rapp' (Rapp 1991), 'saleh' (Saleh 1981), 'memory_polynomial' or 'linear'
        input_backoff_db: in dB, -60 ... 100
        smoothness: Rapp's p, 0.1 ... 100
        saleh: [alpha_a, beta_a, alpha_phi, beta_phi]
        coefficients: complex, a row for each odd order 1, 3, 5, ... (1 ... 8), a column for
        each memory tap (1 ... 64)
        output_gain: amplitude factor at the output, above 0, at most 1e6
        """

    @staticmethod
    def default_coefficients() -> list[list[complex]]:
        """A mild polynomial of order 5 with 3 memory taps."""

    def mean_output_power(
        self,
        input_backoff_db: float,
        points: Sequence[complex] = [],
    ) -> float:
        """Mean output power for independent inputs of unit mean power, for output_gain = 1.
        points: the input's equiprobable values; none: a circular Gaussian input.
        """

    def set_operating_point(
        self,
        input_backoff_db: float,
        output_gain: float,
    ) -> None:
        """Set back-off (dB, -60 ... 100) and output gain (above 0, at most 1e6) between the same two
        samples.
        """

    def model(self) -> str:
        """The model's name."""

    def input_backoff_db(self) -> float:
        """The input back-off in dB."""

    def output_gain(self) -> float:
        """The amplitude factor at the output."""

    def set_input_backoff_db(self, input_backoff_db: float) -> None:
        """Set the input back-off in dB, -60 ... 100."""

    def set_output_gain(self, output_gain: float) -> None:
        """Set the amplitude factor at the output, above 0, at most 1e6."""

class symbol_error_meter(gr.sync_block, gr.block, gr.basic_block):
    """Sink that counts the errors of received symbols against those a frame_source sent.

    The message port 'report' sends a dictionary for each counted frame.
    """

    def __init__(
        self,
        constellation: digital.constellation,
        frame_source: frame_source,
        warmup_frames: int = 0,
        frame_tag: str = 'frame_start',
    ) -> None:
        """constellation: the one that frame_source has
        frame_source: what sent the frames
        warmup_frames: frames that are not counted, at least 0
        frame_tag: key of the tag that starts a frame
        """

    def total_frames(self) -> int:
        """Frames counted."""

    def total_symbols(self) -> int:
        """Payload symbols counted."""

    def symbol_errors(self) -> int:
        """Symbols decided wrongly."""

    def total_bits(self) -> int:
        """Payload bits counted."""

    def bit_errors(self) -> int:
        """Bits decided wrongly."""

    def nonfinite_symbols(self) -> int:
        """Counted symbols that were NaN or infinite."""

    def incomplete_frames(self) -> int:
        """Frames cut short, not counted."""

    def ser(self) -> float:
        """Symbol error rate; NaN before the first frame."""

    def ber(self) -> float:
        """Bit error rate; NaN before the first frame."""

    def evm_db(self) -> float:
        """Error vector magnitude in dB; NaN before the first frame."""

    def frame_ser(self) -> list[tuple[int, int]]:
        """(symbol errors, symbols) of each counted frame."""

    def reset(self) -> None:
        """Forget all counts; warm-up starts again."""
