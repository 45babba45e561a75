/* -*- c++ -*- */
/*
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_RESERVOIR_DESCRIBED_H
#define INCLUDED_RESERVOIR_DESCRIBED_H

#include <gnuradio/reservoir/parameter.h>
#include <gnuradio/reservoir/trainable.h>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace reservoir {

//! A command that a kind of detector carries out, beside those of the equalizer block.
struct RESERVOIR_API about_command {
    const char* name;  //!< "channel"
    const char* value; //!< what its value is: "vector"
    const char* text;  //!< what it does
};

/*!
 * \brief What there is to say of a kind of detector; its parameters say the rest.
 */
struct RESERVOIR_API about_kind {
    const char* name;  //!< in Python, messages and files: "esn"
    const char* title; //!< in Companion: "ESN"
    const char*
        family; //!< in Companion's label, which its search looks at: "Neural Network"
    const char* keywords; //!< other names that a user may search for
    const char* brief;    //!< what it is, in a sentence or two
    //! when to use it, what it costs; paragraphs parted by empty lines
    const char* details;
    const char* caution;           //!< what misleads its users
    bool trains_in_epochs = false; //!< whether background training is for it
    bool adapts = false;           //!< whether set_tracking is
    const char* adapts_when = "";  //!< Python expression of the parameters: where it is
    std::array<about_command, 4> commands = {};
};

/*!
 * \brief A detector that is made from a struct of parameters: kind, saving, copying and comparing.
 *
 * \details
 * Derive as `class fir : public described<fir, fir_parameters, detector>`. The struct has num_inputs and
 * num_outputs among its members, `static constexpr about_kind ABOUT`, visit() and rules()
 * (gr::reservoir::parameter).
 */
template <class Detector, class Parameters, class Interface>
class described : public Interface
{
public:
    typedef Parameters parameters_type;

    const Parameters& parameters() const { return d_parameters; }
    std::string kind() const override { return Parameters::ABOUT.name; }
    bool trains_in_epochs() const override { return Parameters::ABOUT.trains_in_epochs; }
    //! Those of ABOUT; the detector carries them out in do_command().
    std::vector<std::string> commands() const override
    {
        std::vector<std::string> names;
        for (const about_command& command : Parameters::ABOUT.commands)
            if (command.name)
                names.emplace_back(command.name);
        return names;
    }

protected:
    //! \throws std::invalid_argument naming the parameter, its value and its range
    explicit described(const Parameters& parameters)
        : Interface(checked(parameters).num_inputs, parameters.num_outputs),
          d_parameters(parameters)
    {
    }
    //! The same for an interface that is made from more than the numbers of inputs and outputs.
    template <class... Arguments>
    described(const Parameters& parameters, const Arguments&... of_interface)
        : Interface(of_interface...), d_parameters(parameters)
    {
        checked(parameters);
    }

    trainable::sptr do_make_alike() const override
    {
        return std::make_shared<Detector>(d_parameters);
    }
    pmt::pmt_t do_parameters() const override { return parameters_to_pmt(d_parameters); }
    bool do_has_parameters_of(const trainable& other) const override
    {
        return same_parameters(d_parameters,
                               dynamic_cast<const Detector&>(other).d_parameters);
    }

    const Parameters d_parameters;
};

} // namespace reservoir
} // namespace gr

#endif /* INCLUDED_RESERVOIR_DESCRIBED_H */
